using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Translation.Matching;

namespace KubeLB.Translation.Attachment;

/// <summary>
/// Decides with which parentRefs a route attaches to the listeners of a Gateway, so that the generated route satisfies the rules of Gateway
/// API's CustomResourceDefinitions, and Envoy accepts the result.
/// </summary>
internal static class ParentPinning
{
    /// <summary>
    /// Replaces the <see cref="ParentAttachment.AttachedRefs"/> of the parentRefs to one Gateway: by parentRefs to the most specific
    /// listeners only, and by parentRefs with a sectionName and without a port, if there are several.
    /// </summary>
    public static IReadOnlyList<ParentAttachment> Apply(IReadOnlyList<ParentAttachment> parents, IReadOnlyList<string> hostnames)
    {
        var pinned = parents
            .Where(p => p.IsAttached)
            .GroupBy(p => (p.Gateway.Namespace, p.Gateway.Name))
            .SelectMany(group => Pin([.. group], hostnames))
            .ToDictionary(p => p.Before, p => p.After, ReferenceEqualityComparer.Instance);
        return [.. parents.Select(p => pinned.TryGetValue(p, out var after) ? (ParentAttachment)after! : p)];
    }

    private static IEnumerable<(object Before, object? After)> Pin(List<ParentAttachment> parents, IReadOnlyList<string> hostnames)
    {
        var all = parents.SelectMany(p => p.Listeners).DistinctBy(l => l.Name).ToList();
        var redundant = all.Where(l => IsRedundant(l, all, hostnames)).ToHashSet();
        var attached = parents.Select(p => Attach(p, all, redundant, hostnames)).ToList();
        if (!IsUniform(attached.SelectMany(a => a.Refs)))
        {
            attached = [.. attached.Select(a => (a.Parent, a.Listeners, Refs(a.Parent, a.Listeners, keepsPort: false)))];
        }

        return attached.Select(a => ((object)a.Parent, (object?)(a.Parent with { AttachedRefs = a.Refs, Listeners = a.Listeners })));
    }

    private static (ParentAttachment Parent, List<Listener> Listeners, IReadOnlyList<ParentReference> Refs) Attach(
        ParentAttachment parent,
        List<Listener> all,
        HashSet<Listener> redundant,
        IReadOnlyList<string> hostnames
    )
    {
        var listeners = parent.Listeners.Where(l => !redundant.Contains(l)).ToList();
        if (listeners.Count == parent.Listeners.Count)
        {
            return (parent, listeners, parent.AttachedRefs);
        }

        if (listeners.Count == 0)
        {
            // Another parentRef names the listeners that serve the route; their status is that of this parentRef, too.
            listeners = [.. all.Where(l => !redundant.Contains(l) && parent.Listeners.Any(other => CoversAny(l, other, hostnames)))];
        }

        return (parent, listeners, Refs(parent, listeners, keepsPort: true));
    }

    private static List<ParentReference> Refs(ParentAttachment parent, List<Listener> listeners, bool keepsPort) =>
        [
            .. listeners.Select(listener =>
            {
                var copy = ApiJson.Copy(parent.Ref);
                copy.SectionName = listener.Name;
                copy.Port = keepsPort && copy.Port == listener.Port ? copy.Port : null;
                return copy;
            }),
        ];

    // The rules of the CustomResourceDefinitions for several parentRefs to one parent. In the standard channel, the port does not exist.
    private static bool IsUniform(IEnumerable<ParentReference> parentRefs)
    {
        var distinct = parentRefs.Select(p => (Section: p.SectionName ?? "", p.Port)).Distinct().ToList();
        return distinct.Count <= 1
            || (
                distinct.TrueForAll(p => p.Section.Length > 0)
                && distinct.Select(p => p.Section).Distinct(StringComparer.Ordinal).Count() == distinct.Count
                && distinct.Select(p => p.Port is null).Distinct().Count() == 1
            );
    }

    // Requests for all its hostnames are for more specific listeners of the port. Envoy Gateway generates the hostnames for both, and Envoy
    // rejects the configuration of the port.
    private static bool IsRedundant(Listener listener, List<Listener> all, IReadOnlyList<string> hostnames)
    {
        var effective = hostnames.Select(h => Hostnames.Intersection(listener.Hostname, h)).OfType<string>().ToList();
        return listener.Protocol == "HTTP"
            && effective.Count > 0
            && effective.TrueForAll(hostname => all.Exists(other => Covers(other, listener, hostname) && !Conflicts(other, all)));
    }

    // Listeners of one port and hostname are not served, so they cover nothing.
    private static bool Conflicts(Listener listener, List<Listener> all) =>
        all.Exists(other =>
            other.Name != listener.Name && other.Port == listener.Port && (other.Hostname ?? "") == (listener.Hostname ?? "")
        );

    private static bool CoversAny(Listener other, Listener listener, IReadOnlyList<string> hostnames) =>
        hostnames
            .Select(h => Hostnames.Intersection(listener.Hostname, h))
            .OfType<string>()
            .Any(hostname => Covers(other, listener, hostname));

    private static bool Covers(Listener other, Listener listener, string hostname) =>
        other.Protocol == listener.Protocol
        && other.Port == listener.Port
        && !string.IsNullOrEmpty(other.Hostname)
        && Hostnames.IsWithin(hostname, other.Hostname)
        && (string.IsNullOrEmpty(listener.Hostname) || !Hostnames.IsWithin(listener.Hostname, other.Hostname));
}
