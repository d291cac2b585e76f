using System.Text.Json.Nodes;

namespace KubeLB.Translation.Status;

/// <summary>What became of a generated object.</summary>
/// <param name="Generation">Its generation as it stands; null for kinds without one, or if it could not be written.</param>
/// <param name="Status">Its whole status; null if it has none.</param>
/// <param name="Error">Why it could not be written; null if it could.</param>
public sealed record AppliedObject(long? Generation, JsonObject? Status, string? Error)
{
    /// <summary>It could not be written.</summary>
    public static AppliedObject Failed(string error) => new(null, null, error);
}
