using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using k8s.Models;

namespace KubeLB.Translation.Secrets;

/// <summary>Checks the content of a Secret that a listener refers to. What it says never quotes the content.</summary>
internal static class TlsContent
{
    private const string RsaOid = "1.2.840.113549.1.1.1";
    private const string EllipticCurveOid = "1.2.840.10045.2.1";

    /// <summary>What is wrong; null if it holds a certificate with its private key.</summary>
    public static string? Problem(V1Secret secret)
    {
        var name = $"Secret {secret.Namespace()}/{secret.Name()}";
        if (secret.Type != SecretTypes.Tls)
        {
            return $"{name} is of type {secret.Type ?? SecretTypes.Opaque}, must be of type {SecretTypes.Tls}";
        }

        if (Text(secret, SecretTypes.TlsCertificateKey) is not { } certificate || Text(secret, SecretTypes.TlsPrivateKeyKey) is not { } key)
        {
            return $"{name} must contain {SecretTypes.TlsCertificateKey} and {SecretTypes.TlsPrivateKeyKey}";
        }

        return Problem(certificate, key) is { } problem ? $"{name}: {problem}" : null;
    }

    private static string? Problem(string certificatePem, string keyPem)
    {
        if (Read(certificatePem) is not { } certificate)
        {
            return $"{SecretTypes.TlsCertificateKey} holds no certificate in PEM format that can be read";
        }

        using (certificate)
        {
            var labels = PemLabels(keyPem);
            if (labels.Any(l => l == "ENCRYPTED PRIVATE KEY"))
            {
                return $"{SecretTypes.TlsPrivateKeyKey} is encrypted; store the private key without a passphrase";
            }

            if (!labels.Any(l => l.EndsWith("PRIVATE KEY", StringComparison.Ordinal)))
            {
                return $"{SecretTypes.TlsPrivateKeyKey} holds no private key in PEM format";
            }

            // Of other algorithms only the proxy knows whether it can use them.
            return certificate.GetKeyAlgorithm() is not (RsaOid or EllipticCurveOid) || IsPair(certificatePem, keyPem)
                ? null
                : $"the private key in {SecretTypes.TlsPrivateKeyKey} cannot be read or is not that of the certificate in "
                    + $"{SecretTypes.TlsCertificateKey}";
        }
    }

    private static X509Certificate2? Read(string pem)
    {
        try
        {
            return X509Certificate2.CreateFromPem(pem);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static bool IsPair(string certificatePem, string keyPem)
    {
        try
        {
            using var pair = X509Certificate2.CreateFromPem(certificatePem, keyPem);
            return true;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return false;
        }
    }

    private static List<string> PemLabels(string text)
    {
        var labels = new List<string>();
        var rest = text.AsSpan();
        while (PemEncoding.TryFind(rest, out var found))
        {
            labels.Add(rest[found.Label].ToString());
            rest = rest[found.Location.End..];
        }

        return labels;
    }

    private static string? Text(V1Secret secret, string key) =>
        secret.Data is not null && secret.Data.TryGetValue(key, out var value) && value is { Length: > 0 }
            ? Encoding.UTF8.GetString(value)
            : null;
}
