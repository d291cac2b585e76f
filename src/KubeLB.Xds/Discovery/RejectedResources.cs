using System.Buffers;

namespace KubeLB.Xds.Discovery;

/// <summary>
/// The resources of one type that the client of a stream rejected (NACK) and has not accepted since. A rejection ends when the client
/// accepts a later response that contains the resource or its removal, rejects one without naming the resource, or unsubscribes from it.
/// Not thread-safe; used by the loop of the stream.
/// </summary>
/// <param name="wholeState">Whether each response contains all resources of the type.</param>
internal sealed class RejectedResources(bool wholeState)
{
    private readonly Dictionary<string, XdsRejection> _byName = new(StringComparer.Ordinal);
    private List<string> _inLastResponse = [];

    /// <summary>A copy of the rejections by resource name.</summary>
    public IReadOnlyDictionary<string, XdsRejection> ByName => new Dictionary<string, XdsRejection>(_byName, StringComparer.Ordinal);

    /// <summary>The rejection of a resource; null if the client has not rejected it.</summary>
    public XdsRejection? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Records the rejected resources that a response updates or removes.</summary>
    public void OnSending(Func<string, bool> isInResponse) =>
        _inLastResponse = _byName.Count == 0 ? [] : [.. _byName.Keys.Where(isInResponse)];

    /// <summary>The client accepted the response.</summary>
    /// <param name="isSent">Whether a resource was sent to the client, and the client is still subscribed to it.</param>
    /// <returns>Whether this ended the last rejection.</returns>
    public bool OnAcknowledged(Func<string, bool> isSent)
    {
        var before = _byName.Count;
        if (wholeState)
        {
            _byName.Clear();
        }

        Remove(_inLastResponse);
        RemoveUnsubscribed(isSent);
        return _byName.Count == 0 && before > 0;
    }

    /// <summary>The client rejected the response.</summary>
    /// <param name="rejection">The rejection, with the affected resources.</param>
    /// <param name="isNamed">Whether the error names the resources; otherwise any resource of the response may be invalid.</param>
    /// <param name="isSent">Whether a resource was sent to the client, and the client is still subscribed to it.</param>
    public void OnRejected(XdsRejection rejection, bool isNamed, Func<string, bool> isSent)
    {
        if (isNamed)
        {
            // Envoy accepts the resources that its error does not name.
            if (wholeState)
            {
                _byName.Clear();
            }

            Remove(_inLastResponse);
        }

        foreach (var name in rejection.Resources.Where(n => _byName.Count < XdsRejection.MaxNames || _byName.ContainsKey(n)))
        {
            _byName[name] = rejection;
        }

        RemoveUnsubscribed(isSent);
    }

    private void Remove(IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            _byName.Remove(name);
        }
    }

    private void RemoveUnsubscribed(Func<string, bool> isSent) => Remove([.. _byName.Keys.Where(name => !isSent(name))]);
}

/// <summary>
/// Finds the names of resources in an error message of Envoy. The format depends on the type, for example
/// <c>Error adding/updating cluster(s) a: message, b: message</c>; for some types, such as endpoints, it may contain no name.
/// </summary>
internal static class ErrorMessage
{
    private static readonly SearchValues<char> Separators = SearchValues.Create(" \t\r\n\"'`,;()[]{}<>=");

    /// <summary>The distinct names in a message, in order; at most <see cref="XdsRejection.MaxNames"/>.</summary>
    /// <param name="message">The error message.</param>
    /// <param name="isResource">Whether a word is the name of a resource that was sent to the client.</param>
    public static IReadOnlyList<string> FindResourceNames(string message, Func<string, bool> isResource)
    {
        var found = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var range in message.AsSpan().SplitAny(Separators))
        {
            // A trailing colon or period may be part of the name or punctuation.
            foreach (var word in new[] { message[range], message[range].TrimEnd(':', '.') })
            {
                if (word.Length > 0 && found.Count < XdsRejection.MaxNames && seen.Add(word) && isResource(word))
                {
                    found.Add(word);
                    break;
                }
            }
        }

        return found;
    }
}
