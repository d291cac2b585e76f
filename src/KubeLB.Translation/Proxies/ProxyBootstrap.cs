using System.Text.Json.Nodes;

namespace KubeLB.Translation.Proxies;

/// <summary>
/// What an Envoy of ours starts with: where its configuration comes from (incremental aggregated discovery), and its own listeners
/// (<see cref="ProxyOwnListeners"/>). https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/bootstrap/v3/bootstrap.proto
/// </summary>
public static class ProxyBootstrap
{
    private const string XdsCluster = "xds_cluster";
    private const string HttpOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

    /// <summary>Environment variable of the container that holds the pod's name.</summary>
    public const string PodNameVariable = "POD_NAME";

    /// <summary>The bootstrap, as JSON. <c>$(POD_NAME)</c> in it is expanded by Kubernetes.</summary>
    public static string Build(ControlPlane controlPlane, ProxyHeaderLimits headers, ProxyOverload? overload)
    {
        var bootstrap = new JsonObject
        {
            // Kubernetes puts the pod's name in:
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

                                // A manager that starts is found within 2 s; without this Envoy waits for up to 30 s.
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

    // Without an end to waiting a new proxy is not ready before it has its configuration, and no traffic meets one that has none.
    private static JsonObject Aggregated() =>
        new()
        {
            ["ads"] = new JsonObject(),
            ["resource_api_version"] = "V3",
            ["initial_fetch_timeout"] = "0s",
        };

    // For requests listeners have fields; of responses only some versions of Envoy let a cluster say it, but all know these keys.
    private static JsonObject ResponseHeaders(ProxyHeaderLimits limits) =>
        new()
        {
            ["envoy.reloadable_features.max_response_headers_size_kb"] = limits.ResponseKilobytes,
            ["envoy.reloadable_features.max_response_headers_count"] = ProxyHeaderLimits.ManyHeaders,
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
                            // A manager that is gone without closing its connections is noticed within 8 s.
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
                    // A server that speaks HTTP/2 only refuses who does not ask for it.
                    ["alpn_protocols"] = new JsonArray("h2"),
                    ["tls_params"] = new JsonObject
                    {
                        // As a client Envoy ends at TLS 1.2 unless the maximum is given.
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
