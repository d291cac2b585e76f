using System.Net;
using System.Text.Encodings.Web;
using System.Text.Json;
using KubeLB.Runtime.Hosting;

namespace KubeLB.Runtime.Probes;

/// <summary>Answers requests for debug pages, of clients on the loopback interface only: no credentials are asked for.</summary>
internal sealed class DebugPages(KubeRuntimeOptions options, IEnumerable<IDebugPage> pages)
{
    private const string Text = "text/plain; charset=utf-8";

    // For people: names and messages as they are. Nothing embeds it in HTML.
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly Dictionary<string, IDebugPage> _pages = pages.ToDictionary(p => p.Path, StringComparer.Ordinal);

    /// <summary>The answer; null if there is no page of that path.</summary>
    /// <param name="path">The path that is asked for.</param>
    /// <param name="method">The HTTP method.</param>
    /// <param name="client">The client's address; null if it is not known.</param>
    /// <param name="query">The query.</param>
    public (int Status, string Type, string Text)? Answer(
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
                $"This page is for clients on the loopback interface of this process only: use kubectl port-forward POD {port}, then "
                    + $"curl http://localhost:{port}{path}.\n"
            );
        }

        return method is "GET" or "HEAD"
            ? (200, "application/json; charset=utf-8", page.Show(query()).ToJsonString(Indented) + "\n")
            : (405, Text, "This page can only be read: use GET.\n");
    }

    // A listener for all interfaces sees IPv4 clients as IPv6 ones.
    private static bool IsLoopback(IPAddress? client) =>
        client is not null && IPAddress.IsLoopback(client.IsIPv4MappedToIPv6 ? client.MapToIPv4() : client);
}
