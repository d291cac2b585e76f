using System.Net;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using KubeLB.Runtime.Hosting;

namespace KubeLB.Runtime.Probes;

/// <summary>
/// A debug page on the port of the probes, for clients on the loopback interface only, such as <c>kubectl port-forward</c>. Register any
/// number as singletons. A page must not contain secrets.
/// </summary>
public interface IDebugPage
{
    /// <summary>The URL path, for example <c>/debug/xds</c>.</summary>
    string Path { get; }

    /// <summary>The content. Called for each request, concurrently.</summary>
    /// <param name="query">The query of the request: the last value of each name.</param>
    JsonNode Show(IReadOnlyDictionary<string, string> query);
}

/// <summary>Serves debug pages to clients on the loopback interface only, because requests are not authenticated.</summary>
internal sealed class DebugPages(KubeRuntimeOptions options, IEnumerable<IDebugPage> pages)
{
    private const string Text = "text/plain; charset=utf-8";

    // Unescaped for readability. The output is not embedded in HTML.
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly Dictionary<string, IDebugPage> _pages = pages.ToDictionary(p => p.Path, StringComparer.Ordinal);

    /// <summary>The response; null if there is no page with this path.</summary>
    /// <param name="path">The requested path.</param>
    /// <param name="method">The HTTP method.</param>
    /// <param name="client">The address of the client; null if unknown.</param>
    /// <param name="query">The query.</param>
    public (int Status, string Type, string Text)? Respond(
        string path,
        string method,
        IPAddress? client,
        Func<IReadOnlyDictionary<string, string>> query
    )
    {
        if (!_pages.TryGetValue(path, out var page))
        {
            return null;
        }

        if (!IsLoopback(client))
        {
            var port = ListenAddress.Parse(options.ProbeAddress, options.BindLoopbackOnly)?.Port;
            return (
                403,
                Text,
                $"Only clients on the loopback interface can read this page: run kubectl port-forward POD {port}, then "
                    + $"curl http://localhost:{port}{path}.\n"
            );
        }

        return method is "GET" or "HEAD"
            ? (200, "application/json; charset=utf-8", page.Show(query()).ToJsonString(Indented) + "\n")
            : (405, Text, "This page is read-only: use GET.\n");
    }

    // A listener on all interfaces reports IPv4 clients as IPv4-mapped IPv6 addresses.
    private static bool IsLoopback(IPAddress? client) =>
        client is not null && IPAddress.IsLoopback(client.IsIPv4MappedToIPv6 ? client.MapToIPv4() : client);
}
