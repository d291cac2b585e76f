using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace KubeLB.Translation.Proxies;

/// <summary>Envoy's configuration as JSON that a person can read in <c>kubectl get -o yaml</c>.</summary>
internal static class ProxyJson
{
    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string Write(JsonObject value) => value.ToJsonString(Readable) + "\n";
}
