using System.Text.Json.Nodes;

namespace KubeLB.Translation.Proxies;

/// <summary>
/// The proxies' certificate as files of a pod, and the two SDS files that describe them. Envoy reloads certificates only from SDS; with
/// file-based SDS it watches the folder, in which the kubelet replaces a renewed Secret.
/// https://www.envoyproxy.io/docs/envoy/latest/configuration/security/secret#certificate-rotation
/// </summary>
public static class ProxyCertificateFiles
{
    /// <summary>Path at which the Secret is mounted.</summary>
    public const string Folder = "/etc/envoy/xds";

    /// <summary>Key of the Secret, and name of the file, that describes the certificate.</summary>
    public const string CertificateFile = "sds-certificate.json";

    /// <summary>Key of the Secret, and name of the file, that describes the trusted server.</summary>
    public const string TrustFile = "sds-trust.json";

    internal const string CertificateName = "xds_certificate";
    internal const string TrustName = "xds_trust";

    /// <summary>The file that describes the certificate.</summary>
    public static string DescribeCertificate() =>
        Secret(
            CertificateName,
            "tls_certificate",
            new JsonObject
            {
                ["certificate_chain"] = FileNamed("tls.crt"),
                ["private_key"] = FileNamed("tls.key"),
                ["watched_directory"] = Watched(),
            }
        );

    /// <summary>The file that describes the trusted server: the manager, by its name.</summary>
    /// <param name="serverName">Name in the manager's certificate.</param>
    public static string DescribeTrust(string serverName) =>
        Secret(
            TrustName,
            "validation_context",
            new JsonObject
            {
                ["trusted_ca"] = FileNamed("ca.crt"),
                ["match_typed_subject_alt_names"] = new JsonArray(
                    new JsonObject
                    {
                        ["san_type"] = "DNS",
                        ["matcher"] = new JsonObject { ["exact"] = serverName },
                    }
                ),
                ["watched_directory"] = Watched(),
            }
        );

    internal static JsonObject Source(string file) =>
        new()
        {
            ["path_config_source"] = new JsonObject { ["path"] = $"{Folder}/{file}", ["watched_directory"] = Watched() },
            ["resource_api_version"] = "V3",
        };

    private static JsonObject FileNamed(string name) => new() { ["filename"] = $"{Folder}/{name}" };

    private static JsonObject Watched() => new() { ["path"] = Folder };

    private static string Secret(string name, string field, JsonObject content) =>
        ProxyJson.Write(
            new JsonObject
            {
                ["resources"] = new JsonArray(
                    new JsonObject
                    {
                        ["@type"] = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
                        ["name"] = name,
                        [field] = content,
                    }
                ),
            }
        );
}
