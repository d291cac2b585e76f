using System.Text.Json;
using KubeLB.Api.Naming;
using KubeLB.Inspection.Access;

namespace KubeLB.Inspection.Tracing;

/// <summary>What the proxies of a tenant have acknowledged, from <c>/debug/xds</c> of the manager.</summary>
/// <param name="Proxies">The connected proxies.</param>
public sealed record ProxyAcknowledgements(IReadOnlyList<ProxyAcknowledgement> Proxies)
{
    /// <summary>Requests the page.</summary>
    /// <param name="managerDebug">URL of the manager's probes.</param>
    /// <param name="tenant">Name of the tenant.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="InspectionException">The page cannot be read.</exception>
    public static async Task<ProxyAcknowledgements> FetchAsync(Uri managerDebug, string tenant, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            using var page = JsonDocument.Parse(
                await http.GetStringAsync(new Uri(managerDebug, "/debug/xds?tenant=" + Uri.EscapeDataString(tenant)), cancellationToken)
                    .ConfigureAwait(false)
            );
            return Read(page.RootElement, TenantNames.Namespace(tenant));
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or TaskCanceledException)
        {
            throw new InspectionException(
                $"--manager-debug-url: {e.GetBaseException().Message} Is it the address of the manager's /debug/xds?"
            );
        }
    }

    /// <summary>Reads the page.</summary>
    /// <param name="page">The JSON of <c>/debug/xds</c>.</param>
    /// <param name="tenantNamespace">The tenant's namespace in the management cluster.</param>
    /// <exception cref="JsonException">It is not that page.</exception>
    public static ProxyAcknowledgements Read(JsonElement page, string tenantNamespace)
    {
        try
        {
            return new ProxyAcknowledgements([
                .. page.GetProperty("tenants")
                    .EnumerateArray()
                    .Where(t => t.GetProperty("node").GetString() == tenantNamespace)
                    .SelectMany(t => t.GetProperty("proxies").EnumerateArray())
                    .Select(Proxy),
            ]);
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException)
        {
            throw new JsonException("The response is not the page /debug/xds of a manager.", e);
        }
    }

    private static ProxyAcknowledgement Proxy(JsonElement proxy)
    {
        var types = proxy.GetProperty("streams").EnumerateArray().SelectMany(s => s.GetProperty("types").EnumerateArray()).ToList();
        return new ProxyAcknowledgement(
            proxy.GetProperty("peer").GetString() ?? "",
            types.Exists(t => t.GetProperty("sentVersion").ToString() != t.GetProperty("acknowledgedVersion").ToString()),
            [
                .. types
                    .SelectMany(t => t.GetProperty("rejections").EnumerateArray())
                    .Where(r => r.GetProperty("resources").GetInt32() > 0)
                    .Select(r => r.GetProperty("message").GetString() ?? ""),
            ]
        );
    }
}

/// <summary>The state of one proxy.</summary>
/// <param name="Peer">Its address.</param>
/// <param name="IsBehind">Whether it has not acknowledged the latest configuration.</param>
/// <param name="Rejections">The errors of resources that it rejects.</param>
public sealed record ProxyAcknowledgement(string Peer, bool IsBehind, IReadOnlyList<string> Rejections);
