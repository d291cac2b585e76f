using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Validation;

namespace KubeLB.EmbeddedCluster.Resources;

/// <summary>
/// Resource-specific behavior, like Kubernetes' registry strategies: prepare, default, validate, allocate. The base class is for resources
/// without specific behavior.
/// </summary>
internal class ResourceStrategy
{
    public static ResourceStrategy Plain { get; } = new();

    /// <summary>Validates metadata.name.</summary>
    public virtual IReadOnlyList<string> ValidateName(string name) => Names.Subdomain(name);

    /// <summary>Whether an update without resourceVersion is allowed.</summary>
    public virtual bool AllowsUnconditionalUpdate => true;

    /// <summary>Resets fields that cannot be set on create. The status is already removed if it is a subresource.</summary>
    public virtual void PrepareForCreate(JsonObject tree) { }

    /// <summary>Resets fields that cannot be updated. The status is already the old one if it is a subresource.</summary>
    public virtual void PrepareForUpdate(JsonObject tree, JsonObject old) { }

    /// <summary>Applies defaults on create, update and patch.</summary>
    public virtual void Default(JsonObject tree) { }

    public virtual void Validate(JsonObject tree, List<FieldError> errors) { }

    /// <summary>
    /// Evaluates the validation rules of the resource on each write, also on a write of a subresource, after all other validation.
    /// </summary>
    /// <param name="tree">The object to be written.</param>
    /// <param name="old">The object before the update; null on create.</param>
    /// <param name="errors">The errors so far; receives those of the rules.</param>
    /// <param name="warnings">Receives violations that are accepted.</param>
    public virtual void ValidateRules(JsonObject tree, JsonObject? old, List<FieldError> errors, List<string> warnings) { }

    public virtual void ValidateUpdate(JsonObject tree, JsonObject old, List<FieldError> errors) { }

    /// <summary>Allocates addresses and ports, and writes them into the tree.</summary>
    /// <param name="tree">The object to be written.</param>
    /// <param name="old">The replaced object, or null.</param>
    /// <param name="errors">Receives allocation errors.</param>
    public virtual IReservation? Allocate(JsonObject tree, JsonObject? old, List<FieldError> errors) => null;

    /// <summary>The part of the object whose change increments the generation.</summary>
    public virtual bool RaisesGeneration(JsonObject tree, JsonObject old) => !JsonAccess.Same(tree["spec"], old["spec"]);

    /// <summary>Called after the object was created or updated.</summary>
    public virtual void Committed(JsonObject tree) { }

    /// <summary>
    /// Deletion grace period in seconds: the object is kept until the kubelet deletes it with 0 seconds. Always 0 for kinds without
    /// graceful deletion.
    /// </summary>
    /// <param name="tree">The object.</param>
    /// <param name="requested">The grace period of the request; null if it has none.</param>
    public virtual long GracePeriod(JsonObject tree, long? requested) => 0;

    /// <summary>Called after the object was removed.</summary>
    public virtual void Removed(JsonObject tree) { }
}

/// <summary>Allocations for an object that is not committed yet.</summary>
internal interface IReservation
{
    /// <summary>Releases the new allocations, because the write failed.</summary>
    void Release();
}
