using System.Text.Json;
using k8s.Autorest;

namespace KubeLB.Runtime.Clusters;

/// <summary>What an API server says in the Status object that comes with a refusal.</summary>
internal static class StatusMessage
{
    /// <summary>The message of a Status, or the beginning of whatever else came.</summary>
    public static string Of(string? body)
    {
        if (string.IsNullOrWhiteSpace(body))
        {
            return "no further explanation";
        }

        return Field(body, "message") ?? (body.Length > 300 ? body[..300] + "…" : body).Trim();
    }

    /// <summary>The reason of a Status, for example <c>AlreadyExists</c>; null if there is none.</summary>
    public static string? ReasonOf(HttpOperationException refusal) => Field(refusal.Response?.Content, "reason");

    private static string? Field(string? body, string name)
    {
        if (body is null || !body.AsSpan().TrimStart().StartsWith("{"))
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
