using System.Text.Json.Nodes;

namespace KubeLB.Translation.Proxies;

/// <summary>
/// The listeners of a proxy for the kubelet and for monitoring. Those for metrics and readiness forward selected paths to Envoy's admin
/// interface, which listens on loopback only. All bypass the overload manager, so that an overloaded proxy is not restarted as unhealthy.
/// </summary>
internal static class ProxyOwnListeners
{
    private const string Admin = "admin_cluster";
    private const string ConnectionManager = "envoy.filters.network.http_connection_manager";
    private const string HealthCheck = "envoy.filters.http.health_check";
    private const string Router = "envoy.filters.http.router";
    private const string TypePrefix = "type.googleapis.com/envoy.extensions.filters.";

    public static JsonArray Build() =>
        [
            Listener("kubelb_stats", ProxyPorts.Stats, [ToAdmin(ProxyPorts.StatsPath)], []),
            Listener("kubelb_readiness", ProxyPorts.Readiness, [ToAdmin("/ready"), ToAdmin("/live", "/hot_restart_version")], []),
            Listener("kubelb_health", ProxyPorts.Health, [NotFound()], [Healthz()]),
        ];

    public static JsonObject AdminCluster() =>
        new()
        {
            ["name"] = Admin,
            ["type"] = "STATIC",
            ["connect_timeout"] = "1s",
            ["load_assignment"] = Endpoint(Admin, "127.0.0.1", ProxyPorts.Admin),
        };

    public static JsonObject Endpoint(string cluster, string host, int port) =>
        new()
        {
            ["cluster_name"] = cluster,
            ["endpoints"] = new JsonArray(
                new JsonObject
                {
                    ["lb_endpoints"] = new JsonArray(
                        new JsonObject { ["endpoint"] = new JsonObject { ["address"] = Address(host, port) } }
                    ),
                }
            ),
        };

    public static JsonObject Address(string host, int port) =>
        new()
        {
            ["socket_address"] = new JsonObject { ["address"] = host, ["port_value"] = port },
        };

    private static JsonObject Listener(string name, int port, JsonArray routes, JsonArray filters)
    {
        filters.Add(new JsonObject { ["name"] = Router, ["typed_config"] = Typed("http.router.v3.Router") });
        var manager = Typed("network.http_connection_manager.v3.HttpConnectionManager");
        manager["stat_prefix"] = name;
        manager["route_config"] = new JsonObject
        {
            ["name"] = name,
            ["virtual_hosts"] = new JsonArray(
                new JsonObject
                {
                    ["name"] = name,
                    ["domains"] = new JsonArray("*"),
                    ["routes"] = routes,
                }
            ),
        };
        manager["http_filters"] = filters;
        return new JsonObject
        {
            ["name"] = name,
            ["stat_prefix"] = name,
            ["address"] = Address("0.0.0.0", port),
            ["ignore_global_conn_limit"] = true,
            ["bypass_overload_manager"] = true,
            ["filter_chains"] = new JsonArray(
                new JsonObject { ["filters"] = new JsonArray(new JsonObject { ["name"] = ConnectionManager, ["typed_config"] = manager }) }
            ),
        };
    }

    private static JsonObject ToAdmin(string path, string? rewritten = null)
    {
        var route = new JsonObject { ["cluster"] = Admin };
        if (rewritten is not null)
        {
            route["prefix_rewrite"] = rewritten;
        }

        return new JsonObject
        {
            ["match"] = new JsonObject { ["path"] = path, ["headers"] = new JsonArray(Header(":method", "GET")) },
            ["route"] = route,
        };
    }

    private static JsonObject NotFound() =>
        new()
        {
            ["match"] = new JsonObject { ["prefix"] = "/" },
            ["direct_response"] = new JsonObject { ["status"] = 404 },
        };

    // Returns 503 after a request to /healthcheck/fail, with which draining starts.
    private static JsonObject Healthz()
    {
        var check = Typed("http.health_check.v3.HealthCheck");
        check["pass_through_mode"] = false;
        check["headers"] = new JsonArray(Header(":path", "/healthz"));
        return new JsonObject { ["name"] = HealthCheck, ["typed_config"] = check };
    }

    private static JsonObject Header(string name, string value) =>
        new()
        {
            ["name"] = name,
            ["string_match"] = new JsonObject { ["exact"] = value },
        };

    private static JsonObject Typed(string type) => new() { ["@type"] = TypePrefix + type };
}

/// <summary>The proxies' own ports, besides those of the tenant's routes. Part of the wire contract.</summary>
public static class ProxyPorts
{
    /// <summary>Envoy's admin interface, on loopback only.</summary>
    public const int Admin = 9001;

    /// <summary>Metrics, at <see cref="StatsPath"/>.</summary>
    public const int Stats = 19001;

    /// <summary>Path of the metrics, in the format of Prometheus.</summary>
    public const string StatsPath = "/stats/prometheus";

    /// <summary>The Go manager's shutdown manager; not used here.</summary>
    public const int Shutdown = 19002;

    /// <summary><c>/ready</c>: the proxy has its configuration; <c>/live</c>: the proxy responds.</summary>
    public const int Readiness = 19003;

    /// <summary><c>/healthz</c>: the proxy is not draining.</summary>
    public const int Health = 19004;

    /// <summary>
    /// Name of the port of the proxies for a port of a generated Service: of the listener, of the cluster, and in the proxies' metrics.
    /// </summary>
    /// <param name="service">Name of the generated Service.</param>
    /// <param name="port">Its port.</param>
    /// <param name="protocol">Protocol of the port.</param>
    public static string NameOf(string service, int port, string protocol = "TCP") => $"{service}-{port}-{protocol}";

    private static readonly int[] Own = [Admin, Stats, Shutdown, Readiness, Health];

    /// <summary>Whether a port is one of the proxy's own, which no route may use.</summary>
    public static bool IsReserved(int port) => Own.Contains(port);

    /// <summary>The number of the proxy's own ports in a range.</summary>
    public static int ReservedWithin(int first, int last) => Own.Count(port => port >= first && port <= last);
}
