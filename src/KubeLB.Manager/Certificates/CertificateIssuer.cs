using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KubeLB.Manager.Certificates;

/// <summary>Issues the certificates of xDS: ECDSA on P-256, signed with SHA-256. RFC 5280.</summary>
internal static class CertificateIssuer
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    /// <summary>Extended key usage of the server's certificate, which replicas also use as clients of each other.</summary>
    public static readonly IReadOnlyList<string> ServerUsages = [ServerAuthentication, ClientAuthentication];

    /// <summary>Extended key usage of a client's certificate.</summary>
    public static readonly IReadOnlyList<string> ClientUsages = [ClientAuthentication];

    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);

    /// <summary>Issues a self-signed authority.</summary>
    public static KeyPair Authority(string name, DateTimeOffset now, TimeSpan lifetime)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(
            new X509BasicConstraintsExtension(
                certificateAuthority: true,
                hasPathLengthConstraint: true,
                pathLengthConstraint: 0,
                critical: true
            )
        );
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true)
        );
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        using var certificate = request.CreateSelfSigned(now - ClockSkew, now + lifetime);
        return KeyPair.Export(certificate, key);
    }

    /// <summary>Issues a server's certificate, which replicas also use as clients of each other.</summary>
    public static KeyPair Server(X509Certificate2 authority, IReadOnlyList<string> names, DateTimeOffset now, TimeSpan lifetime) =>
        Leaf(authority, names, ServerUsages, now, lifetime);

    /// <summary>Issues a client's certificate.</summary>
    public static KeyPair Client(X509Certificate2 authority, string name, DateTimeOffset now, TimeSpan lifetime) =>
        Leaf(authority, [name], ClientUsages, now, lifetime);

    private static KeyPair Leaf(
        X509Certificate2 authority,
        IReadOnlyList<string> names,
        IReadOnlyList<string> usages,
        DateTimeOffset now,
        TimeSpan lifetime
    )
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        // A common name has at most 64 characters; clients check the alternative names only.
        var request = new CertificateRequest($"CN={names[0][..Math.Min(names[0].Length, 64)]}", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            alternatives.AddDnsName(name);
        }

        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(
            new X509BasicConstraintsExtension(
                certificateAuthority: false,
                hasPathLengthConstraint: false,
                pathLengthConstraint: 0,
                critical: true
            )
        );
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. usages.Select(u => new Oid(u))], critical: false));
        request.CertificateExtensions.Add(
            X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, includeIssuerAndSerial: false)
        );
        var end = now + lifetime;
        using var certificate = request.Create(
            authority,
            now - ClockSkew,
            end.UtcDateTime < authority.NotAfter.ToUniversalTime() ? end : new DateTimeOffset(authority.NotAfter),
            RandomNumberGenerator.GetBytes(16)
        );
        return KeyPair.Export(certificate, key);
    }
}

/// <summary>A certificate with its private key in PEM format, as in Secrets of type <c>kubernetes.io/tls</c>.</summary>
/// <param name="Certificate">One certificate.</param>
/// <param name="Key">The private key, PKCS #8.</param>
internal sealed record KeyPair(string Certificate, string Key)
{
    /// <summary>Exports a certificate and its key.</summary>
    public static KeyPair Export(X509Certificate2 certificate, ECDsa key) =>
        new(certificate.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");

    /// <summary>The certificate with its key; the caller disposes of it. Null if they are invalid or do not match.</summary>
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

    /// <summary>Does not contain the key, so that it is never logged.</summary>
    public override string ToString() => "a certificate and its key";
}
