using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.CustomResources;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Storage;

namespace KubeLB.EmbeddedCluster.Resources;

/// <summary>The served resources: built-in ones, and custom ones of the current definitions.</summary>
internal sealed class ResourceRegistry
{
    private readonly ConcurrentDictionary<(string Group, string Version, string Plural), ResourceDefinition> _resources = new();
    private readonly ConcurrentDictionary<
        string,
        (string Group, string Plural, string Kind, ImmutableArray<ResourceDefinition> Versions)
    > _custom = new();
    private readonly Lock _lock = new();
    private ImmutableArray<ResourceDefinition> _ordered = [];
    private long _generation;

    /// <summary>All served resources: built-in groups first, then custom ones in order of registration.</summary>
    public ImmutableArray<ResourceDefinition> All => _ordered;

    /// <summary>Changes with the set of served resources.</summary>
    public long Generation => Volatile.Read(ref _generation);

    public ResourceDefinition? Find(string group, string version, string plural) => _resources.GetValueOrDefault((group, version, plural));

    /// <summary>Any served version of a resource that is stored in the given table.</summary>
    public ResourceDefinition? ForTable(string group, string plural) =>
        _ordered.FirstOrDefault(resource => resource.StorageGroup == group && resource.Group == group && resource.Plural == plural);

    public ResourceDefinition? FindKind(string group, string version, string kind) =>
        _ordered.FirstOrDefault(resource => resource.Group == group && resource.Version == version && resource.Kind == kind);

    public void Add(params IEnumerable<ResourceDefinition> resources)
    {
        lock (_lock)
        {
            foreach (var resource in resources)
            {
                _resources[(resource.Group, resource.Version, resource.Plural)] = resource;
                _ordered = _ordered.Add(resource);
            }
            Interlocked.Increment(ref _generation);
        }
    }

    /// <summary>Registers the resources of a CustomResourceDefinition, replacing its previous ones.</summary>
    public void AddCustom(JsonObject definition)
    {
        var name = definition.Object("metadata").Text("name")!;
        var versions = CustomResource.Read(definition);
        lock (_lock)
        {
            Drop(name);
            foreach (var resource in versions)
            {
                _resources[(resource.Group, resource.Version, resource.Plural)] = resource;
            }
            var spec = definition.Object("spec");
            _custom[name] = (spec.Text("group")!, spec.Object("names").Text("plural")!, spec.Object("names").Text("kind")!, versions);
            _ordered = _ordered.AddRange(versions);
            Interlocked.Increment(ref _generation);
        }
    }

    /// <summary>Registers the resources of the CustomResourceDefinitions of a table, and removes all other custom resources.</summary>
    public void Restore(ResourceTable definitions)
    {
        var stored = definitions.Current.Values.SelectMany(objects => objects.Values).ToList();
        foreach (var name in _custom.Keys.Except(stored.Select(definition => definition.Name)).ToList())
        {
            RemoveCustom(name);
        }
        foreach (var definition in stored.Select(definition => definition.ToTree()).Where(CustomResourceDefinitionStrategy.IsEstablished))
        {
            AddCustom(definition);
        }
    }

    public void RemoveCustom(string name)
    {
        lock (_lock)
        {
            Drop(name);
            Interlocked.Increment(ref _generation);
        }
    }

    /// <summary>A kind or name of <paramref name="definition"/> that another definition of the group already uses.</summary>
    public string? Conflict(JsonObject definition)
    {
        var name = definition.Object("metadata").Text("name");
        var spec = definition.Object("spec");
        var kind = spec.Object("names").Text("kind");
        foreach (var (other, known) in _custom)
        {
            if (other != name && known.Group == spec.Text("group") && known.Kind == kind)
            {
                return kind;
            }
        }
        return null;
    }

    private void Drop(string name)
    {
        if (_custom.TryRemove(name, out var known))
        {
            foreach (var resource in known.Versions)
            {
                _resources.TryRemove((resource.Group, resource.Version, resource.Plural), out _);
            }
            _ordered = _ordered.RemoveAll(known.Versions.Contains);
        }
    }
}
