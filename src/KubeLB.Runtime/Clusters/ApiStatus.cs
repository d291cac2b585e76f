using System.Net;
using System.Text.Json;
using k8s;
using k8s.Autorest;
using k8s.Models;

namespace KubeLB.Runtime.Clusters;

/// <summary>Reads the Status object that an API server sends with an error.</summary>
public static class ApiStatus
{
    private const int MaxBodyLength = 300;

    /// <summary>The Status in the body of an error response; null if the body is something else, for example the page of a proxy.</summary>
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
    internal static string MessageOf(string? body)
    {
        if (string.IsNullOrWhiteSpace(body))
        {
            return "no further explanation";
        }

        return Parse(body)?.Message ?? (body.Length > MaxBodyLength ? body[..MaxBodyLength] + "…" : body).Trim();
    }

    /// <summary>The reason of a Status, for example <c>AlreadyExists</c>; null if the error contains none.</summary>
    internal static string? ReasonOf(HttpOperationException error) => Parse(error.Response?.Content)?.Reason;

    /// <summary>
    /// Whether the error is a 404 for a missing object. Its Status contains the name of the object; the 404 for a kind that is not served
    /// does not.
    /// </summary>
    internal static bool IsObjectNotFound(HttpOperationException error) =>
        error.Response?.StatusCode == HttpStatusCode.NotFound && Parse(error.Response.Content)?.Details?.Name is { Length: > 0 };
}
