using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Applying;

/// <summary>One entry of <c>metadata.managedFields</c>: the fields that a manager owns, and the operation that wrote them.</summary>
internal sealed record ManagedEntry(string Manager, string Operation, string ApiVersion, string Subresource, string? Time, FieldSet Fields)
{
    public const string Apply = "Apply";
    public const string Update = "Update";

    /// <summary>Owner of the fields that an object had before its first apply.</summary>
    public const string BeforeFirstApply = "before-first-apply";

    /// <summary>Manager name of the merged entry of the oldest updaters.</summary>
    public const string Ancient = "ancient-changes";

    public bool IsApply => Operation == Apply;

    /// <summary>
    /// Whether two entries have the same manager: an applier may change its API version, but an updater with another API version is a
    /// different manager.
    /// </summary>
    public bool SameManager(ManagedEntry other) =>
        Manager == other.Manager
        && Operation == other.Operation
        && Subresource == other.Subresource
        && (IsApply || ApiVersion == other.ApiVersion);

    /// <summary>The manager as printed in conflict messages.</summary>
    public string Describe()
    {
        var text = FieldError.Quote(Manager);
        if (Subresource.Length > 0)
        {
            text += $" with subresource {FieldError.Quote(Subresource)}";
        }
        return IsApply ? text : $"{text} using {ApiVersion}";
    }

    /// <exception cref="FormatException">The object is not a valid entry.</exception>
    public static ManagedEntry Parse(JsonObject entry)
    {
        var operation = entry.Text("operation");
        if (operation is not (Apply or Update))
        {
            throw new FormatException($"unknown operation {operation}");
        }
        if (entry.Text("apiVersion") is not { Length: > 0 } version)
        {
            throw new FormatException("an entry has no apiVersion");
        }
        if (entry["fieldsType"] is not null && entry.Text("fieldsType") != "FieldsV1")
        {
            throw new FormatException($"unknown type of fields {entry["fieldsType"]}");
        }
        return new ManagedEntry(
            entry.Text("manager") ?? "",
            operation,
            version,
            entry.Text("subresource") ?? "",
            entry.Text("time"),
            FieldSet.Parse(entry.Object("fieldsV1") ?? [])
        );
    }

    public JsonObject ToJson()
    {
        var entry = new JsonObject();
        if (Manager.Length > 0)
        {
            entry["manager"] = Manager;
        }
        entry["operation"] = Operation;
        entry["apiVersion"] = ApiVersion;
        if (Time is not null)
        {
            entry["time"] = Time;
        }
        entry["fieldsType"] = "FieldsV1";
        entry["fieldsV1"] = Fields.ToJson();
        if (Subresource.Length > 0)
        {
            entry["subresource"] = Subresource;
        }
        return entry;
    }
}
