using System.Text;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Http;

/// <summary>The continue token of a paged list: the resourceVersion of its first page and the last key.</summary>
internal sealed record ContinueToken(long Revision, string Namespace, string Name)
{
    public string Encode()
    {
        var json = new JsonObject
        {
            ["v"] = "meta.k8s.io/v1",
            ["rv"] = Revision,
            ["start"] = $"{Namespace}/{Name}\0",
        };
        return Convert.ToBase64String(Encoding.UTF8.GetBytes(json.ToJsonString())).TrimEnd('=').Replace('+', '-').Replace('/', '_');
    }

    /// <exception cref="ApiException">400 for an invalid token.</exception>
    public static ContinueToken Decode(string token)
    {
        byte[] bytes;
        try
        {
            var padded = token.Replace('-', '+').Replace('_', '/');
            bytes = Convert.FromBase64String(padded.PadRight((padded.Length + 3) / 4 * 4, '='));
        }
        catch (FormatException)
        {
            throw ApiErrors.BadRequest("invalid continue token: continue key is not valid: illegal base64 data at input byte 0");
        }
        try
        {
            var json = JsonReading.ParseObject(bytes);
            var start = json.Text("start") ?? "";
            var slash = start.IndexOf('/', StringComparison.Ordinal);
            if (json.Text("v") != "meta.k8s.io/v1" || slash < 0)
            {
                throw ApiErrors.BadRequest(
                    "invalid continue token: continue key is not valid: server does not recognize this encoded version"
                );
            }
            return new ContinueToken(json.Integer("rv") ?? 0, start[..slash], start[(slash + 1)..].TrimEnd('\0'));
        }
        catch (FormatException exception)
        {
            throw ApiErrors.BadRequest($"invalid continue token: continue key is not valid: {exception.Message}");
        }
    }
}
