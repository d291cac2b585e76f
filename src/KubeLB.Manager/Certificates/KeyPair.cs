using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KubeLB.Manager.Certificates;

/// <summary>A certificate with its private key, as PEM: the form in which Secrets of type <c>kubernetes.io/tls</c> hold it.</summary>
/// <param name="Certificate">One certificate.</param>
/// <param name="Key">PKCS #8.</param>
internal sealed record KeyPair(string Certificate, string Key)
{
    /// <summary>Takes the certificate, whose key this process has.</summary>
    public static KeyPair Of(X509Certificate2 certificate, ECDsa key) =>
        new(certificate.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");

    /// <summary>The certificate with its key; the caller disposes of it. Null if this is not such a pair.</summary>
    public X509Certificate2? Load()
    {
        try
        {
            return X509Certificate2.CreateFromPem(Certificate, Key);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Nothing of the key, wherever this is printed.</summary>
    public override string ToString() => "a certificate and its key";
}
