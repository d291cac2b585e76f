using System.Text.Json;
using KubeLB.Api.Serialization;

namespace KubeLB.Api.V1Alpha1;

/// <summary>
/// The value of annotation <see cref="Annotations.RejectedCluster"/>: a CCM of a cluster that the tenant is not bound to was started for
/// the tenant. The tenant can write the annotation, so that it is read strictly: a value with a field that is missing, too long or not of
/// its form is no value.
/// </summary>
/// <param name="Uid">UID of namespace <c>kube-system</c> of that cluster.</param>
/// <param name="Time">When that CCM last tried.</param>
/// <param name="Version">Version of that CCM.</param>
public sealed record RejectedCluster(string Uid, DateTimeOffset Time, string Version)
{
    private const int LongestText = 512;
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 2, AllowDuplicateProperties = false };

    /// <summary>Reads the annotation's value; null if there is none, or it is not valid.</summary>
    public static RejectedCluster? Read(string? text)
    {
        if (text is null || text.Length > LongestText)
        {
            return null;
        }

        try
        {
            using var json = JsonDocument.Parse(text, Strict);
            return
                CcmAnnotations.Uid(Field(json.RootElement, "uid")) is { } uid
                && CcmAnnotations.Time(Field(json.RootElement, "time")) is { } time
                && CcmAnnotations.Version(Field(json.RootElement, "version")) is { } version
                ? new RejectedCluster(uid, time, version)
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The annotation's value; <see cref="Read"/> reads it back, with the time in whole seconds.</summary>
    public string Write() =>
        new System.Text.Json.Nodes.JsonObject
        {
            ["uid"] = Uid,
            ["time"] = StatusTime.Of(Time),
            ["version"] = Version,
        }.ToJsonString();

    private static string? Field(JsonElement value, string name)
    {
        if (
            value.ValueKind != JsonValueKind.Object
            || !value.TryGetProperty(name, out var field)
            || field.ValueKind != JsonValueKind.String
        )
        {
            return null;
        }

        try
        {
            return field.GetString();
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, which is no text.
            return null;
        }
    }
}
