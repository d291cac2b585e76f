using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Applying;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Storage;
using KubeLB.EmbeddedCluster.Validation;

namespace KubeLB.EmbeddedCluster.Writing;

/// <summary>Creates objects: generate name, prepare, default, validate, allocate, commit.</summary>
internal sealed class ObjectCreator(
    ClusterStore store,
    TimeProvider time,
    NamespaceAdmission gate,
    FieldOwnership ownership,
    ObjectWarnings? warnings
)
{
    private const string Alphabet = "bcdfghjklmnpqrstvwxz2456789";
    private const int MaxGeneratedBase = 63 - 5;

    /// <param name="resource">The resource to create.</param>
    /// <param name="namespace">Empty for cluster-scoped resources.</param>
    /// <param name="tree">The normalized object; modified in place.</param>
    /// <param name="options">The write options.</param>
    /// <exception cref="ApiException">The object is rejected.</exception>
    public StoredObject Create(ResourceDefinition resource, string @namespace, JsonObject tree, WriteOptions options)
    {
        var metadata = tree.Ensure("metadata");
        CheckNamespace(resource, @namespace, metadata);
        gate.Check(resource, @namespace, metadata.Text("name") ?? "");
        if (!string.IsNullOrEmpty(metadata.Text("resourceVersion")))
        {
            throw ApiErrors.BadRequest("resourceVersion should not be set on objects to be created");
        }
        var generated = string.IsNullOrEmpty(metadata.Text("name")) && !string.IsNullOrEmpty(metadata.Text("generateName"));
        for (var attempt = 0; ; attempt++)
        {
            if (generated)
            {
                metadata["name"] = GenerateName(metadata.Text("generateName")!);
            }
            Prepare(resource, tree, metadata);
            if (!options.IsApply)
            {
                ownership.Track(resource, null, tree, "", options.Manager);
            }
            if (TryCommit(resource, @namespace, tree, options) is { } stored)
            {
                return stored;
            }
            if (!generated || attempt == 7)
            {
                throw ApiErrors.AlreadyExists(resource.Group, resource.Plural, metadata.Text("name") ?? "");
            }
        }
    }

    private static void CheckNamespace(ResourceDefinition resource, string @namespace, JsonObject metadata)
    {
        if (!resource.Namespaced)
        {
            metadata.Remove("namespace");
            return;
        }
        var given = metadata.Text("namespace");
        if (string.IsNullOrEmpty(given))
        {
            metadata["namespace"] = @namespace;
        }
        else if (given != @namespace)
        {
            throw ApiErrors.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
        }
    }

    private void Prepare(ResourceDefinition resource, JsonObject tree, JsonObject metadata)
    {
        foreach (var name in new[] { "deletionTimestamp", "deletionGracePeriodSeconds", "generation" })
        {
            metadata.Remove(name);
        }
        metadata["uid"] = Guid.NewGuid().ToString();
        metadata["creationTimestamp"] = Timestamps.Now(time);
        if (resource.HasGeneration)
        {
            metadata["generation"] = 1;
        }
        // A node is created with its status; other kinds get an initial status from the server.
        if (resource.HasStatus && resource.Plural != "nodes")
        {
            tree.Remove("status");
        }
        resource.Strategy.PrepareForCreate(tree);
        resource.Strategy.Default(tree);
    }

    private StoredObject? TryCommit(ResourceDefinition resource, string @namespace, JsonObject tree, WriteOptions options)
    {
        var errors = new List<FieldError>();
        MetadataValidation.Validate(tree.Ensure("metadata"), resource, errors);
        resource.Strategy.Validate(tree, errors);
        resource.Strategy.ValidateRules(tree, null, errors, options.Warnings);
        var name = tree.Object("metadata").Text("name") ?? "";
        var reservation = errors.Count == 0 ? resource.Strategy.Allocate(tree, null, errors) : null;
        if (errors.Count > 0)
        {
            reservation?.Release();
            throw ApiErrors.Invalid(resource.Group, resource.Kind, name, errors);
        }
        var table = store.Table(resource.StorageGroup, resource.Plural);
        StoredObject? stored = null;
        try
        {
            var encoded = ObjectEncoder.Encode(tree, resource.Custom);
            if (options.DryRun)
            {
                return table.Find(@namespace, name) is null ? encoded.WithoutRevision() : null;
            }
            stored = store.Insert(table, encoded, () => gate.Check(resource, @namespace, name));
        }
        finally
        {
            if (stored is null)
            {
                reservation?.Release();
            }
        }
        if (stored is not null)
        {
            options.Warnings.AddRange(warnings?.Invoke(resource.Kind, tree) ?? []);
            resource.Strategy.Committed(tree);
        }
        return stored;
    }

    private static string GenerateName(string prefix)
    {
        if (prefix.Length > MaxGeneratedBase)
        {
            prefix = prefix[..MaxGeneratedBase];
        }
        return prefix + new string(Random.Shared.GetItems<char>(Alphabet, 5));
    }
}

/// <summary>Rejects objects in namespaces that do not exist or are terminating.</summary>
internal sealed class NamespaceAdmission(ClusterStore store)
{
    private readonly ResourceTable _namespaces = store.Table("", "namespaces");

    /// <exception cref="ApiException">404 if the namespace does not exist, 403 if it is terminating.</exception>
    public void Check(ResourceDefinition resource, string @namespace, string name)
    {
        if (!resource.Namespaced)
        {
            return;
        }
        var found = _namespaces.Find("", @namespace) ?? throw ApiErrors.NotFound("", "namespaces", @namespace);
        if (found.Identity.IsTerminating)
        {
            throw ApiErrors.Forbidden(
                resource.Group,
                resource.Plural,
                name,
                $"unable to create new content in namespace {@namespace} because it is being terminated",
                [new FieldError("NamespaceTerminating", "metadata.namespace", $"namespace {@namespace} is being terminated")]
            );
        }
    }
}
