using System.Text;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Translation.Proxies;

namespace KubeLB.Manager.Certificates;

/// <summary>Reads and builds the Secrets with the certificates of xDS.</summary>
internal static class CertificateSecrets
{
    /// <summary>In the manager's namespace: the authority, which only the manager may read.</summary>
    public const string Authority = "kubelb-xds-ca";

    /// <summary>In the manager's namespace: the server's certificate.</summary>
    public const string Server = "kubelb-xds-server";

    /// <summary>In each tenant's namespace: the proxies' certificate and the authorities that they trust.</summary>
    public const string Client = "envoy-xds-client";

    /// <summary>The Service in front of the xDS servers of all replicas.</summary>
    public const string ServiceObject = "envoycp";

    /// <summary>Key of the trusted authorities.</summary>
    public const string TrustedKey = "ca.crt";

    private const string CertificateKey = "tls.crt";
    private const string PrivateKey = "tls.key";
    private const string NextCertificateKey = "next.crt";
    private const string NextPrivateKey = "next.key";
    private const string ClientDomain = "proxies.kubelb.k8c.io";
    private const string TlsType = "kubernetes.io/tls";

    /// <summary>DNS name of the server's Service <c>envoycp</c> that proxies use.</summary>
    public static string ServiceName(string managerNamespace) => $"envoycp.{managerNamespace}.svc";

    /// <summary>DNS names in the server's certificate: all forms of its Service's name.</summary>
    public static IReadOnlyList<string> ServerNames(string managerNamespace) =>
        [
            ServiceName(managerNamespace),
            $"envoycp.{managerNamespace}.svc.cluster.local",
            $"envoycp.{managerNamespace}",
            "envoycp",
            "localhost",
        ];

    /// <summary>DNS name in the certificate of a tenant's proxies.</summary>
    public static string ClientName(ProxyIdentity identity) => $"{identity.TenantUid}.{identity.TenantNamespace}.{ClientDomain}";

    /// <summary>The tenant that the DNS names of a client's certificate identify; null if none.</summary>
    public static ProxyIdentity? IdentityOf(IEnumerable<string> names) =>
        names.ToList() is [var name]
        && name.EndsWith($".{ClientDomain}", StringComparison.Ordinal)
        && name[..^(ClientDomain.Length + 1)].Split('.') is [var uid, var tenant]
            ? new ProxyIdentity(tenant, uid)
            : null;

    public static V1Secret Write(string @namespace, XdsAuthority authority)
    {
        var secret = Write(@namespace, Authority, authority.Signing, authority.Trusted);
        if (authority.Next is { } next)
        {
            secret.Data[NextCertificateKey] = Bytes(next.Certificate);
            secret.Data[NextPrivateKey] = Bytes(next.Key);
        }

        return secret;
    }

    public static V1Secret Write(string @namespace, string name, KeyPair pair, string trusted) =>
        new()
        {
            ApiVersion = V1Secret.KubeApiVersion,
            Kind = V1Secret.KubeKind,
            Metadata = new V1ObjectMeta
            {
                Name = name,
                NamespaceProperty = @namespace,
                Labels = new Dictionary<string, string>(StringComparer.Ordinal) { [Labels.ManagedBy] = Labels.ManagedByKubelb },
            },
            Type = TlsType,
            Data = new Dictionary<string, byte[]>(StringComparer.Ordinal)
            {
                [CertificateKey] = Bytes(pair.Certificate),
                [PrivateKey] = Bytes(pair.Key),
                [TrustedKey] = Bytes(trusted),
            },
        };

    /// <summary>A tenant's Secret: its proxies' certificate, and Envoy's SDS files that refer to it.</summary>
    public static V1Secret WriteClient(string @namespace, KeyPair pair, string trusted, string managerNamespace)
    {
        var secret = Write(@namespace, Client, pair, trusted);
        foreach (var (file, content) in EnvoyFiles(managerNamespace))
        {
            secret.Data[file] = Bytes(content);
        }

        return secret;
    }

    /// <summary>Whether a tenant's Secret contains the current SDS files.</summary>
    public static bool HasEnvoyFiles(V1Secret? secret, string managerNamespace) =>
        secret is not null && EnvoyFiles(managerNamespace).All(d => Text(secret, d.File) == d.Content);

    public static XdsAuthority? ReadAuthority(V1Secret? secret) =>
        ReadPair(secret) is { } signing
            ? new XdsAuthority(signing, Pair(secret!, NextCertificateKey, NextPrivateKey), ReadTrusted(secret) ?? signing.Certificate)
            : null;

    public static KeyPair? ReadPair(V1Secret? secret) => secret is null ? null : Pair(secret, CertificateKey, PrivateKey);

    public static string? ReadTrusted(V1Secret? secret) => secret is null ? null : Text(secret, TrustedKey);

    private static (string File, string Content)[] EnvoyFiles(string managerNamespace) =>
        [
            (ProxyCertificateFiles.CertificateFile, ProxyCertificateFiles.DescribeCertificate()),
            (ProxyCertificateFiles.TrustFile, ProxyCertificateFiles.DescribeTrust(ServiceName(managerNamespace))),
        ];

    private static KeyPair? Pair(V1Secret secret, string certificate, string key) =>
        Text(secret, certificate) is { } pem && Text(secret, key) is { } privateKey ? new KeyPair(pem, privateKey) : null;

    private static string? Text(V1Secret secret, string key) =>
        secret.Data?.TryGetValue(key, out var bytes) == true && bytes.Length > 0 ? Encoding.UTF8.GetString(bytes) : null;

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
