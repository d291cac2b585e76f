using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace KubeLB.Translation.Proxies;

/// <summary>
/// The bootstrap configuration of the tenants' Envoy proxies: the xDS server (incremental ADS) and the proxies' own listeners
/// (<see cref="ProxyOwnListeners"/>). https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/bootstrap/v3/bootstrap.proto
/// </summary>
public static class ProxyBootstrap
{
    private const string XdsCluster = "xds_cluster";
    private const string HttpOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

    /// <summary>Environment variable of the container with the pod's name.</summary>
    public const string PodNameVariable = "POD_NAME";

    /// <summary>The bootstrap, as JSON. <c>$(POD_NAME)</c> in it is expanded by Kubernetes.</summary>
    public static string Build(ControlPlane controlPlane, ProxyHeaderLimits headers, ProxyOverload? overload)
    {
        var bootstrap = new JsonObject
        {
            // Kubernetes inserts the pod's name:
            // https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-container/
            ["node"] = new JsonObject { ["metadata"] = new JsonObject { ["pod"] = $"$({PodNameVariable})" } },
            ["admin"] = new JsonObject { ["address"] = ProxyOwnListeners.Address("127.0.0.1", ProxyPorts.Admin) },
            ["dynamic_resources"] = new JsonObject
            {
                ["ads_config"] = new JsonObject
                {
                    ["api_type"] = "DELTA_GRPC",
                    ["transport_api_version"] = "V3",
                    ["set_node_on_first_message_only"] = true,
                    ["grpc_services"] = new JsonArray(
                        new JsonObject
                        {
                            ["envoy_grpc"] = new JsonObject
                            {
                                ["cluster_name"] = XdsCluster,

                                // Envoy reconnects to a restarted manager within 2 s; by default it waits for up to 30 s.
                                ["retry_policy"] = new JsonObject
                                {
                                    ["retry_back_off"] = new JsonObject { ["base_interval"] = "0.25s", ["max_interval"] = "1.5s" },
                                },
                            },
                        }
                    ),
                },
                ["cds_config"] = Aggregated(),
                ["lds_config"] = Aggregated(),
            },
            ["layered_runtime"] = new JsonObject
            {
                ["layers"] = new JsonArray(new JsonObject { ["name"] = "kubelb", ["static_layer"] = ResponseHeaders(headers) }),
            },
            ["static_resources"] = new JsonObject
            {
                ["listeners"] = ProxyOwnListeners.Build(),
                ["clusters"] = new JsonArray(Xds(controlPlane), ProxyOwnListeners.AdminCluster()),
            },
        };
        if (overload is not null)
        {
            bootstrap["overload_manager"] = ProxyOverloadManager.Build(overload);
        }

        return ProxyJson.Write(bootstrap);
    }

    // 0s disables the timeout: a new proxy is not ready, and receives no traffic, until it has its configuration.
    private static JsonObject Aggregated() =>
        new()
        {
            ["ads"] = new JsonObject(),
            ["resource_api_version"] = "V3",
            ["initial_fetch_timeout"] = "0s",
        };

    // The limits of requests are fields of listeners. For responses, only some versions of Envoy have a field, but all versions have these
    // runtime keys.
    private static JsonObject ResponseHeaders(ProxyHeaderLimits limits) =>
        new()
        {
            ["envoy.reloadable_features.max_response_headers_size_kb"] = limits.ResponseKilobytes,
            ["envoy.reloadable_features.max_response_headers_count"] = ProxyHeaderLimits.DefaultCount,
        };

    private static JsonObject Xds(ControlPlane controlPlane)
    {
        var cluster = new JsonObject
        {
            ["name"] = XdsCluster,
            ["type"] = "STRICT_DNS",
            ["connect_timeout"] = "1s",
            ["load_assignment"] = ProxyOwnListeners.Endpoint(XdsCluster, controlPlane.Host, controlPlane.Port),
            ["typed_extension_protocol_options"] = new JsonObject
            {
                [HttpOptions] = new JsonObject
                {
                    ["@type"] = $"type.googleapis.com/{HttpOptions}",
                    ["explicit_http_config"] = new JsonObject
                    {
                        ["http2_protocol_options"] = new JsonObject
                        {
                            // Envoy detects within 8 s that a manager stopped without closing its connections.
                            ["connection_keepalive"] = new JsonObject { ["interval"] = "5s", ["timeout"] = "3s" },
                        },
                    },
                },
            },
        };
        if (!controlPlane.IsPlain)
        {
            cluster["transport_socket"] = Tls(controlPlane.Host);
        }

        return cluster;
    }

    private static JsonObject Tls(string serverName) =>
        new()
        {
            ["name"] = "envoy.transport_sockets.tls",
            ["typed_config"] = new JsonObject
            {
                ["@type"] = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                ["sni"] = serverName,
                ["common_tls_context"] = new JsonObject
                {
                    // The server supports HTTP/2 only and rejects connections without this ALPN protocol.
                    ["alpn_protocols"] = new JsonArray("h2"),
                    ["tls_params"] = new JsonObject
                    {
                        // As a client Envoy uses at most TLS 1.2 by default.
                        ["tls_minimum_protocol_version"] = "TLSv1_3",
                        ["tls_maximum_protocol_version"] = "TLSv1_3",
                    },
                    ["tls_certificate_sds_secret_configs"] = new JsonArray(
                        Discovered(ProxyCertificateFiles.CertificateName, ProxyCertificateFiles.CertificateFile)
                    ),
                    ["validation_context_sds_secret_config"] = Discovered(ProxyCertificateFiles.TrustName, ProxyCertificateFiles.TrustFile),
                },
            },
        };

    private static JsonObject Discovered(string name, string file) =>
        new() { ["name"] = name, ["sds_config"] = ProxyCertificateFiles.Source(file) };
}

/// <summary>The xDS server of a tenant's proxies.</summary>
/// <param name="Host">DNS name of the manager's Service, as in its certificate.</param>
/// <param name="Port">Its port.</param>
/// <param name="IsPlain">Whether to connect in plain text instead of mutual TLS.</param>
public sealed record ControlPlane(string Host, int Port, bool IsPlain = false);

/// <summary>
/// Envoy's overload manager: releases memory, then rejects requests before the proxy is OOM-killed, and limits the number of connections.
/// https://www.envoyproxy.io/docs/envoy/latest/configuration/operations/overload_manager/overload_manager
/// </summary>
internal static class ProxyOverloadManager
{
    private const string Heap = "envoy.resource_monitors.fixed_heap";
    private const string Connections = "envoy.resource_monitors.global_downstream_max_connections";
    private const string TypePrefix = "type.googleapis.com/envoy.extensions.resource_monitors.";

    public static JsonObject Build(ProxyOverload limits)
    {
        var (monitors, actions) = (new JsonArray(), new JsonArray());
        if (limits.HeapBytes is { } bytes)
        {
            monitors.Add(Monitor(Heap, "fixed_heap.v3.FixedHeapConfig", "max_heap_size_bytes", bytes));
            actions.Add(Action("envoy.overload_actions.shrink_heap", 0.95));
            actions.Add(Action("envoy.overload_actions.stop_accepting_requests", 0.98));
        }

        if (limits.Connections is { } connections)
        {
            monitors.Add(
                Monitor(
                    Connections,
                    "downstream_connections.v3.DownstreamConnectionsConfig",
                    "max_active_downstream_connections",
                    connections
                )
            );
        }

        var manager = new JsonObject { ["refresh_interval"] = "0.25s", ["resource_monitors"] = monitors };
        if (actions.Count > 0)
        {
            manager["actions"] = actions;
        }

        return manager;
    }

    private static JsonObject Monitor(string name, string type, string field, long limit) =>
        new()
        {
            ["name"] = name,
            ["typed_config"] = new JsonObject { ["@type"] = TypePrefix + type, [field] = limit },
        };

    private static JsonObject Action(string name, double threshold) =>
        new()
        {
            ["name"] = name,
            ["triggers"] = new JsonArray(
                new JsonObject
                {
                    ["name"] = Heap,
                    ["threshold"] = new JsonObject { ["value"] = threshold },
                }
            ),
        };
}

/// <summary>Writes Envoy's configuration as indented JSON, readable in <c>kubectl get -o yaml</c>.</summary>
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
