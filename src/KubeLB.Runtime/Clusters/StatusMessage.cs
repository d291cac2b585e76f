using System.Net;
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

    /// <summary>
    /// Whether it is a 404 about an object, which its Status then names; the 404 of a kind that is not served names none.
    /// </summary>
    public static bool SaysObjectIsMissing(HttpOperationException refusal) =>
        refusal.Response?.StatusCode == HttpStatusCode.NotFound && Field(refusal.Response.Content, "details", "name") is { Length: > 0 };

    private static string? Field(string? body, params ReadOnlySpan<string> path)
    {
        if (body is null || !body.AsSpan().TrimStart().StartsWith("{"))
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(body);
            var value = document.RootElement;
            foreach (var name in path)
            {
                if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(name, out value))
                {
                    return null;
                }
            }

            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
