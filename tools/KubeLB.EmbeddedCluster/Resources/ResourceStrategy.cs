using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Validation;

namespace KubeLB.EmbeddedCluster.Resources;

/// <summary>
/// What is particular to one resource, in the steps of Kubernetes' registry strategies: prepare, default, validate, allocate. The base
/// class is that of a plain object.
/// </summary>
internal class ResourceStrategy
{
    public static ResourceStrategy Plain { get; } = new();

    /// <summary>Complaints about metadata.name.</summary>
    public virtual IReadOnlyList<string> ValidateName(string name) => Names.Subdomain(name);

    /// <summary>Whether an update without a resourceVersion may overwrite.</summary>
    public virtual bool AllowsUnconditionalUpdate => true;

    /// <summary>Resets what a creator may not choose. Status is already gone where it is a subresource.</summary>
    public virtual void PrepareForCreate(JsonObject tree) { }

    /// <summary>Resets what an updater may not change. Status already is the old one where it is a subresource.</summary>
    public virtual void PrepareForUpdate(JsonObject tree, JsonObject old) { }

    /// <summary>Fills in what was left out; on create, update and patch.</summary>
    public virtual void Default(JsonObject tree) { }

    public virtual void Validate(JsonObject tree, List<FieldError> errors) { }

    public virtual void ValidateUpdate(JsonObject tree, JsonObject old, List<FieldError> errors) { }

    /// <summary>Takes addresses and ports for the object; writes them into the tree.</summary>
    /// <param name="tree">The object about to be written.</param>
    /// <param name="old">What it replaces, or null.</param>
    /// <param name="errors">What cannot be had.</param>
    public virtual IReservation? Allocate(JsonObject tree, JsonObject? old, List<FieldError> errors) => null;

    /// <summary>The part of the object whose change raises the generation.</summary>
    public virtual bool RaisesGeneration(JsonObject tree, JsonObject old) => !JsonAccess.Same(tree["spec"], old["spec"]);

    /// <summary>Runs after the object was created or changed.</summary>
    public virtual void Committed(JsonObject tree) { }

    /// <summary>
    /// Seconds for which a deleted object stays, so that what runs it can end it; it is removed by a delete with 0 seconds. Always 0 where
    /// nothing runs.
    /// </summary>
    /// <param name="tree">The object.</param>
    /// <param name="asked">What the delete asks for; null if it says nothing.</param>
    public virtual long GracePeriod(JsonObject tree, long? asked) => 0;

    /// <summary>Runs after the object is gone.</summary>
    public virtual void Removed(JsonObject tree) { }
}
