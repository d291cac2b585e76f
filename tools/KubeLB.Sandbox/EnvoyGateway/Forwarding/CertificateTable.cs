using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KubeLB.Sandbox.EnvoyGateway.Routing;

namespace KubeLB.Sandbox.EnvoyGateway.Forwarding;

/// <summary>The certificates of a port, chosen by the server name that the client asks for.</summary>
internal sealed class CertificateTable
{
    private IReadOnlyList<(string Hostname, X509Certificate2 Certificate)> _certificates = [];

    /// <summary>Replaces all certificates.</summary>
    public void Set(IEnumerable<(string Hostname, X509Certificate2 Certificate)> certificates) =>
        Volatile.Write(
            ref _certificates,
            [.. certificates.OrderBy(c => c.Hostname, Comparer<string>.Create(Hostnames.CompareSpecificity))]
        );

    /// <summary>The certificate of the most specific listener for a server name; null if there is none.</summary>
    public X509Certificate2? Find(string? serverName)
    {
        // Without a name any listener may answer.
        var certificates = Volatile.Read(ref _certificates);
        return string.IsNullOrEmpty(serverName)
            ? (certificates.Count == 0 ? null : certificates[^1].Certificate)
            : certificates.FirstOrDefault(c => Hostnames.Matches(c.Hostname, serverName)).Certificate;
    }

    /// <summary>Reads a certificate with its key from the content of a Secret; null if it is not valid.</summary>
    public static X509Certificate2? Read(IDictionary<string, byte[]>? data)
    {
        if (data is null || !data.TryGetValue("tls.crt", out var certificate) || !data.TryGetValue("tls.key", out var key))
        {
            return null;
        }

        try
        {
            var text = System.Text.Encoding.UTF8;
            using var pair = X509Certificate2.CreateFromPem(text.GetString(certificate), text.GetString(key));

            // TLS on some platforms cannot use a key that lives in memory only.
            return X509CertificateLoader.LoadPkcs12(pair.Export(X509ContentType.Pkcs12), null);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return null;
        }
    }
}
