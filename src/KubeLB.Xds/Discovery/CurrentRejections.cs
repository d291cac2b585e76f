namespace KubeLB.Xds.Discovery;

/// <summary>
/// The resources of one type that a stream's client refused and has not taken since. A response that holds others and is taken says
/// nothing of them; what ends a rejection is that the client takes what replaced the resource, or its removal. For the stream's loop only.
/// </summary>
/// <param name="wholeState">Whether each response holds everything, so that taking one is taking all.</param>
internal sealed class CurrentRejections(bool wholeState)
{
    private readonly Dictionary<string, XdsRejection> _byName = new(StringComparer.Ordinal);
    private List<string> _sentAgain = [];

    /// <summary>The refused resources by name, as they are now; a copy.</summary>
    public IReadOnlyDictionary<string, XdsRejection> ByName => new Dictionary<string, XdsRejection>(_byName, StringComparer.Ordinal);

    /// <summary>The rejection of a resource; null if the client has not rejected it.</summary>
    public XdsRejection? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Notes which of them a response replaces or removes.</summary>
    public void Sending(Func<string, bool> isInResponse) => _sentAgain = _byName.Count == 0 ? [] : [.. _byName.Keys.Where(isInResponse)];

    /// <summary>The client took the response.</summary>
    /// <param name="has">Whether the client has been sent a name and has not given it up.</param>
    /// <returns>Whether the last one ended with it.</returns>
    public bool Taken(Func<string, bool> has)
    {
        var before = _byName.Count;
        if (wholeState)
        {
            _byName.Clear();
        }

        End(_sentAgain);
        Prune(has);
        return _byName.Count == 0 && before > 0;
    }

    /// <summary>The client refused the response.</summary>
    /// <param name="rejection">The refusal, with the resources at fault.</param>
    /// <param name="isNamed">Whether the client named them; else any of the response may be at fault.</param>
    /// <param name="has">Whether the client has been sent a name and has not given it up.</param>
    public void Refused(XdsRejection rejection, bool isNamed, Func<string, bool> has)
    {
        if (isNamed)
        {
            // Envoy takes the resources that it does not name.
            if (wholeState)
            {
                _byName.Clear();
            }

            End(_sentAgain);
        }

        foreach (var name in rejection.Resources.Where(n => _byName.Count < XdsRejection.MaxNames || _byName.ContainsKey(n)))
        {
            _byName[name] = rejection;
        }

        Prune(has);
    }

    private void End(IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            _byName.Remove(name);
        }
    }

    private void Prune(Func<string, bool> has) => End([.. _byName.Keys.Where(name => !has(name))]);
}
