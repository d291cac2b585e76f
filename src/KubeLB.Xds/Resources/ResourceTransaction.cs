using Google.Protobuf;

namespace KubeLB.Xds.Resources;

/// <summary>
/// Changes of one node's resources that belong together: streams see all of them or none, so that nothing sent refers to what is
/// not there. Of several changes of one resource the last counts.
/// </summary>
public sealed class ResourceTransaction
{
    private readonly Dictionary<(string TypeUrl, string Name), VersionedResource?> _changes = [];
    private readonly List<(string TypeUrl, HashSet<string> Kept)> _replacements = [];

    internal ResourceTransaction() { }

    internal IReadOnlyDictionary<(string TypeUrl, string Name), VersionedResource?> Changes => _changes;

    internal IReadOnlyList<(string TypeUrl, HashSet<string> Kept)> Replacements => _replacements;

    /// <summary>Adds a resource, or replaces the one of this type and name. Content that is there already changes nothing.</summary>
    /// <exception cref="ArgumentException">The name is empty or <c>*</c>.</exception>
    public ResourceTransaction Set(string name, IMessage message) => Set(VersionedResource.Create(name, message));

    /// <summary>As <see cref="Set(string, IMessage)"/>, for a resource that is encoded already (one shared by many nodes, say).</summary>
    public ResourceTransaction Set(VersionedResource resource)
    {
        ArgumentNullException.ThrowIfNull(resource);
        _changes[(resource.TypeUrl, resource.Name)] = resource;
        return this;
    }

    /// <summary>Removes a resource, if it is there.</summary>
    public ResourceTransaction Remove(string typeUrl, string name)
    {
        _changes[(typeUrl, name)] = null;
        return this;
    }

    /// <summary>
    /// Makes <paramref name="resources"/> the whole of the type: what is not among them is removed. Costs a look at each resource
    /// of the type; for a change of a few use <see cref="Set(string, IMessage)"/> and <see cref="Remove"/>.
    /// </summary>
    /// <exception cref="ArgumentException">A resource is of another type.</exception>
    public ResourceTransaction Replace(string typeUrl, IEnumerable<VersionedResource> resources)
    {
        var kept = new HashSet<string>(StringComparer.Ordinal);
        foreach (var resource in resources)
        {
            if (resource.TypeUrl != typeUrl)
            {
                throw new ArgumentException($"Resource {resource.Name} is a {resource.TypeUrl}, not a {typeUrl}.", nameof(resources));
            }

            kept.Add(resource.Name);
            Set(resource);
        }

        _replacements.Add((typeUrl, kept));
        return this;
    }
}
