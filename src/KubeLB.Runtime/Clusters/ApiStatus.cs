using System.Net;
using System.Text.Json;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Api.Messages;

namespace KubeLB.Runtime.Clusters;

/// <summary>Reads the Status object that an API server sends with an error.</summary>
public static class ApiStatus
{
    private const int MaxBodyLength = 300;

    /// <summary>
    /// The Status in the body of an error response: null if the body is not JSON, for example the page of a proxy; empty if it is other
    /// JSON.
    /// </summary>
    public static V1Status? Parse(string? body)
    {
        try
        {
            return string.IsNullOrWhiteSpace(body) ? null : KubernetesJson.Deserialize<V1Status>(body);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The message of a Status, or the beginning of another body.</summary>
    public static string MessageOf(string? body)
    {
        if (string.IsNullOrWhiteSpace(body))
        {
            return "no further explanation";
        }

        return Field(body, "message") ?? MessageText.Truncate(body.Trim(), MaxBodyLength);
    }

    /// <summary>The reason of a Status, for example <c>AlreadyExists</c>; null if the error contains none.</summary>
    internal static string? ReasonOf(HttpOperationException error) => Field(error.Response?.Content, "reason");

    /// <summary>
    /// Whether the error is a 404 for a missing object. Its Status contains the name of the object; the 404 for a kind that is not served
    /// does not.
    /// </summary>
    internal static bool IsObjectNotFound(HttpOperationException error) =>
        error.Response?.StatusCode == HttpStatusCode.NotFound && Field(error.Response.Content, "details", "name") is { Length: > 0 };

    // Field by field: gateways in front of an API server send other JSON with some of these fields.
    private static string? Field(string? body, params ReadOnlySpan<string> path)
    {
        try
        {
            using var document = JsonDocument.Parse(body ?? "");
            var element = document.RootElement;
            foreach (var name in path)
            {
                if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out element))
                {
                    return null;
                }
            }

            return element.ValueKind == JsonValueKind.String ? element.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
