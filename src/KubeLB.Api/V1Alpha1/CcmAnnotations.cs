using System.Globalization;
using System.Text.Json;
using KubeLB.Api.Serialization;

namespace KubeLB.Api.V1Alpha1;

/// <summary>
/// Reads the annotations that a CCM writes to its tenant's Addresses. The tenant can write them too, so a value that is too long or
/// malformed is ignored.
/// </summary>
public static class CcmAnnotations
{
    private const int MaxLength = 64;
    private static readonly string[] TimeFormats = ["yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'"];

    /// <summary>
    /// The cluster that the tenant is bound to (<see cref="Annotations.ClusterUid"/>); null if the annotation is absent or invalid.
    /// </summary>
    public static string? ClusterUidOf(Addresses? addresses) => Uid(ValueOf(addresses, Annotations.ClusterUid));

    /// <summary>
    /// The cluster that was rejected last (<see cref="Annotations.RejectedCluster"/>); null if the annotation is absent or invalid.
    /// </summary>
    public static RejectedCluster? RejectedClusterOf(Addresses? addresses) =>
        RejectedCluster.Read(ValueOf(addresses, Annotations.RejectedCluster));

    /// <summary>When the CCM last reported (<see cref="Annotations.LastSeen"/>); null if the annotation is absent or invalid.</summary>
    public static DateTimeOffset? LastSeenOf(Addresses? addresses) => Time(ValueOf(addresses, Annotations.LastSeen));

    /// <summary>The version of the CCM (<see cref="Annotations.CcmVersion"/>); null if the annotation is absent or invalid.</summary>
    public static string? CcmVersionOf(Addresses? addresses) => Version(ValueOf(addresses, Annotations.CcmVersion));

    /// <summary>
    /// The Secret of the token that the CCM uses (<see cref="Annotations.CcmToken"/>); null if the annotation is absent or invalid.
    /// </summary>
    public static string? CcmTokenOf(Addresses? addresses) =>
        ValueOf(addresses, Annotations.CcmToken) is { } name && IsToken(name, "-.") ? name : null;

    /// <summary>The text if it is a valid UID (at most 64 letters, digits and dashes); else null.</summary>
    internal static string? Uid(string? text) => IsToken(text, "-") ? text : null;

    /// <summary>The text if it is a valid version (at most 64 letters, digits and <c>.+-_</c>); else null.</summary>
    internal static string? Version(string? text) => IsToken(text, ".+-_") ? text : null;

    /// <summary>Parses a time in RFC 3339 format and UTC; null if the text is invalid.</summary>
    internal static DateTimeOffset? Time(string? text) =>
        text?.Length <= MaxLength
        && DateTimeOffset.TryParseExact(
            text,
            TimeFormats,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var time
        )
            ? time
            : null;

    /// <summary>The value of an annotation; null if it is absent.</summary>
    public static string? ValueOf(Addresses? addresses, string annotation) =>
        addresses?.Metadata.Annotations?.TryGetValue(annotation, out var value) == true ? value : null;

    private static bool IsToken(string? text, string others) =>
        text is { Length: > 0 and <= MaxLength }
        && text.All(c => char.IsAsciiLetterOrDigit(c) || others.Contains(c, StringComparison.Ordinal));
}

/// <summary>
/// The value of annotation <see cref="Annotations.RejectedCluster"/>: a CCM of a cluster that the tenant is not bound to was started for
/// the tenant. The tenant can write the annotation too, so it is parsed strictly: a value with a missing, too long or malformed field is
/// ignored.
/// </summary>
/// <param name="Uid">UID of namespace <c>kube-system</c> of that cluster.</param>
/// <param name="Time">When that CCM last tried.</param>
/// <param name="Version">Version of that CCM.</param>
public sealed record RejectedCluster(string Uid, DateTimeOffset Time, string Version)
{
    private const int MaxTextLength = 512;
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 2, AllowDuplicateProperties = false };

    /// <summary>Parses the annotation's value; null if it is absent or invalid.</summary>
    public static RejectedCluster? Read(string? text)
    {
        if (text is null || text.Length > MaxTextLength)
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
            // The string contains an unpaired surrogate.
            return null;
        }
    }
}
