using System.Text.Json.Nodes;

namespace KubeLB.Translation.Status;

/// <summary>What became of a generated object.</summary>
/// <param name="Generation">Its generation as it stands; null for kinds without one, or if it could not be written.</param>
/// <param name="Status">Its whole status; null if it has none.</param>
/// <param name="Error">Why it could not be written, in words for the tenant; null if it could.</param>
public sealed record AppliedObject(long? Generation, JsonObject? Status, string? Error)
{
    /// <summary>Whether there was none, and it was created.</summary>
    public bool IsCreated { get; init; }

    /// <summary>Whether somebody else had changed it, and it was changed back.</summary>
    public bool IsRepaired { get; init; }

    /// <summary>Whether a later attempt may succeed although nothing of the tenant's changed.</summary>
    public bool MayPass { get; private init; }

    /// <summary>It could not be written.</summary>
    /// <param name="error">Why, in words for the tenant.</param>
    /// <param name="mayPass">Whether a later attempt may succeed although nothing of the tenant's changed.</param>
    public static AppliedObject Failed(string error, bool mayPass = false) => new(null, null, error) { MayPass = mayPass };
}
