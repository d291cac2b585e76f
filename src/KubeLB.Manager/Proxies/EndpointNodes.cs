using System.Numerics;

namespace KubeLB.Manager.Proxies;

/// <summary>
/// The tenant's nodes, and those of them that its proxies are told of: all, unless the tenant has so many nodes and ports that the lists of
/// endpoints would fill the memory of the manager, which all tenants share. Then the first of them, in numbers that are powers of two, so
/// that the lists do not change with each port. The same for the same nodes and ports, however they came.
/// </summary>
/// <param name="All">All, in the order of the tenant's list.</param>
/// <param name="Used">Those that proxies are told of.</param>
/// <param name="Bytes">What one list of all comes to in an encoded resource, about.</param>
internal sealed record EndpointNodes(IReadOnlyList<string> All, IReadOnlyList<string> Used, long Bytes)
{
    // Tags, lengths and port around the address.
    private const int Frame = 16;

    public static EndpointNodes None { get; } = new([], [], 0);

    public static EndpointNodes Of(IReadOnlyList<string> nodes) => new(nodes, nodes, nodes.Sum(n => (long)n.Length + Frame));

    /// <summary>As many as fit; itself if they are as many as before.</summary>
    /// <param name="bytes">What all lists may come to.</param>
    /// <param name="lists">How many lists there are.</param>
    public EndpointNodes Within(long bytes, int lists)
    {
        if (Bytes * lists <= bytes)
        {
            return Used.Count == All.Count ? this : this with { Used = All };
        }

        var fitting = bytes * All.Count / (Bytes * lists);
        var count = fitting < 1 ? 1 : (int)(1UL << BitOperations.Log2((ulong)fitting));
        return Used.Count == count ? this : this with { Used = [.. All.Take(count)] };
    }
}
