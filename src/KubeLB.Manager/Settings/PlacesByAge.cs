namespace KubeLB.Manager.Settings;

/// <summary>
/// Gives a limited number of places to the oldest of its members; of one age, to the first by name. A change costs a few look-ups in a tree,
/// however many members there are, and tells whose verdict it turned. Not thread-safe.
/// </summary>
internal sealed class PlacesByAge
{
    private static readonly Comparer<Member> ByAge = Comparer<Member>.Create((left, right) =>
        left.Created != right.Created ? left.Created.CompareTo(right.Created) : string.CompareOrdinal(left.Name, right.Name));

    private readonly SortedSet<Member> _within = new(ByAge);
    private readonly SortedSet<Member> _beyond = new(ByAge);

    /// <summary>Number of places; null for any number.</summary>
    public int? Limit { get; private set; }

    /// <summary>Number of members.</summary>
    public int Count => _within.Count + _beyond.Count;

    private int Places => Limit ?? int.MaxValue;

    /// <summary>Whether the member is known and has a place.</summary>
    public bool Has(Member member) => _within.Contains(member);

    /// <summary>Adds a member; nothing happens if it is one.</summary>
    /// <returns>The others whose verdict turned.</returns>
    public IEnumerable<Member> Add(Member member)
    {
        if (_within.Contains(member) || !_beyond.Add(member))
        {
            return [];
        }

        return Settle().Where(m => m != member);
    }

    /// <summary>Removes a member; nothing happens if it is none.</summary>
    /// <returns>The others whose verdict turned.</returns>
    public IEnumerable<Member> Remove(Member member)
    {
        _beyond.Remove(member);
        return _within.Remove(member) ? Settle() : [];
    }

    /// <summary>Changes the number of places.</summary>
    /// <returns>Those whose verdict turned.</returns>
    public IEnumerable<Member> SetLimit(int? limit)
    {
        Limit = limit;
        return Settle();
    }

    private List<Member> Settle()
    {
        var turned = new List<Member>();
        while (_within.Count > Places)
        {
            turned.Add(Move(_within.Max, _within, _beyond));
        }

        while (_beyond.Count > 0 && _within.Count < Places)
        {
            turned.Add(Move(_beyond.Min, _beyond, _within));
        }

        while (_beyond.Count > 0 && _within.Count > 0 && ByAge.Compare(_beyond.Min, _within.Max) < 0)
        {
            turned.Add(Move(_within.Max, _within, _beyond));
            turned.Add(Move(_beyond.Min, _beyond, _within));
        }

        return turned;
    }

    private static Member Move(Member member, SortedSet<Member> from, SortedSet<Member> to)
    {
        from.Remove(member);
        to.Add(member);
        return member;
    }

    /// <summary>Whom a place is given to.</summary>
    /// <param name="Created">When it came.</param>
    /// <param name="Name">Its name, unique among the members.</param>
    internal readonly record struct Member(DateTime Created, string Name);
}
