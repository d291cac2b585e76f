using System.Text;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Translation.Proxies;

namespace KubeLB.Manager.Certificates;

/// <summary>The Secrets that hold certificates of xDS: their names, and how they are read and written. Pure.</summary>
internal static class CertificateSecrets
{
    /// <summary>In the manager's namespace: the authority, which nobody but managers may read.</summary>
    public const string Authority = "kubelb-xds-ca";

    /// <summary>In the manager's namespace: the server's certificate.</summary>
    public const string Server = "kubelb-xds-server";

    /// <summary>In each tenant's namespace: what its proxies show, and whom they trust.</summary>
    public const string Client = "envoy-xds-client";

    /// <summary>The Service in front of the xDS servers of all replicas.</summary>
    public const string ServiceObject = "envoycp";

    /// <summary>Key of the authorities that are trusted.</summary>
    public const string TrustedKey = "ca.crt";

    private const string CertificateKey = "tls.crt";
    private const string PrivateKey = "tls.key";
    private const string NextCertificateKey = "next.crt";
    private const string NextPrivateKey = "next.key";
    private const string ClientDomain = "proxies.kubelb.k8c.io";
    private const string TlsType = "kubernetes.io/tls";

    /// <summary>The server's Service <c>envoycp</c>, as the proxies write it.</summary>
    public static string ServiceName(string managerNamespace) => $"envoycp.{managerNamespace}.svc";

    /// <summary>What the server is called: its Service, as pods may write it.</summary>
    public static IReadOnlyList<string> ServerNames(string managerNamespace) =>
        [
            ServiceName(managerNamespace),
            $"envoycp.{managerNamespace}.svc.cluster.local",
            $"envoycp.{managerNamespace}",
            "envoycp",
            "localhost",
        ];

    /// <summary>What a tenant's proxies are called in their certificate.</summary>
    public static string ClientName(ProxyIdentity identity) => $"{identity.TenantUid}.{identity.TenantNamespace}.{ClientDomain}";

    /// <summary>Whose proxies a client's certificate names; null if it names none.</summary>
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

    /// <summary>A tenant's Secret: its proxies' certificate, and the files that describe it to Envoy.</summary>
    public static V1Secret WriteClient(string @namespace, KeyPair pair, string trusted, string managerNamespace)
    {
        var secret = Write(@namespace, Client, pair, trusted);
        foreach (var (file, content) in Descriptions(managerNamespace))
        {
            secret.Data[file] = Bytes(content);
        }

        return secret;
    }

    /// <summary>Whether a tenant's Secret describes its certificate to Envoy as it should.</summary>
    public static bool IsDescribed(V1Secret? secret, string managerNamespace) =>
        secret is not null && Descriptions(managerNamespace).All(d => Text(secret, d.File) == d.Content);

    public static XdsAuthority? ReadAuthority(V1Secret? secret) =>
        ReadPair(secret) is { } signing
            ? new XdsAuthority(signing, Pair(secret!, NextCertificateKey, NextPrivateKey), ReadTrusted(secret) ?? signing.Certificate)
            : null;

    public static KeyPair? ReadPair(V1Secret? secret) => secret is null ? null : Pair(secret, CertificateKey, PrivateKey);

    public static string? ReadTrusted(V1Secret? secret) => secret is null ? null : Text(secret, TrustedKey);

    private static (string File, string Content)[] Descriptions(string managerNamespace) =>
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
