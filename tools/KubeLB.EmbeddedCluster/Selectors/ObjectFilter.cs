using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Storage;

namespace KubeLB.EmbeddedCluster.Selectors;

/// <summary>Selects the objects of a list, watch or deletecollection.</summary>
internal sealed class ObjectFilter
{
    private readonly ResourceDefinition _resource;
    private readonly LabelSelector _labels;
    private readonly FieldSelector _fields;
    private readonly bool _needsTree;

    private ObjectFilter(ResourceDefinition resource, string? @namespace, LabelSelector labels, FieldSelector fields)
    {
        _resource = resource;
        _labels = labels;
        _fields = fields;
        _needsTree = fields.Requirements.Any(requirement => requirement.Field is not ("metadata.name" or "metadata.namespace"));
        Namespace = @namespace;
    }

    /// <summary>The namespace; null for all.</summary>
    public string? Namespace { get; }

    /// <summary>Whether there is no label or field selector.</summary>
    public bool IsEverything => _labels.IsEverything && _fields.IsEverything;

    /// <exception cref="Errors.ApiException">400 for an invalid or unsupported selector.</exception>
    public static ObjectFilter Parse(
        ResourceDefinition resource,
        string @namespace,
        string name,
        string? labelSelector,
        string? fieldSelector
    )
    {
        string[] always = resource.Namespaced ? ["metadata.name", "metadata.namespace"] : ["metadata.name"];
        var fields = FieldSelector.Parse(fieldSelector, [.. always, .. resource.SelectableFields.Keys], resource.Custom is not null);
        if (name.Length > 0)
        {
            fields = new FieldSelector([.. fields.Requirements, new FieldRequirement("metadata.name", true, name)]);
        }
        return new ObjectFilter(resource, @namespace.Length == 0 ? null : @namespace, LabelSelectorParser.Parse(labelSelector), fields);
    }

    public bool Matches(StoredObject stored)
    {
        if (Namespace is not null && stored.Namespace != Namespace)
        {
            return false;
        }
        if (!_labels.Matches(stored))
        {
            return false;
        }
        if (_fields.IsEverything)
        {
            return true;
        }
        if (_needsTree)
        {
            var tree = stored.ToTree();
            return _fields.Matches(field => _resource.SelectableValue(tree, field));
        }
        return _fields.Matches(field => field == "metadata.name" ? stored.Name : stored.Namespace);
    }

    /// <summary>The matching objects of a snapshot, ordered by key.</summary>
    public IEnumerable<StoredObject> Select(TableSnapshot snapshot)
    {
        if (_fields.Name is { } name && Namespace is not null)
        {
            var found = snapshot.Find(Namespace, name);
            return found is not null && Matches(found) ? [found] : [];
        }
        var objects = snapshot.Objects(Namespace);
        return IsEverything ? objects : objects.Where(Matches);
    }
}
