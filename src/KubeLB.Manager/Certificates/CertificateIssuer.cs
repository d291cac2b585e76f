using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KubeLB.Manager.Certificates;

/// <summary>Makes the certificates of xDS: ECDSA on P-256, signed with SHA-256. RFC 5280.</summary>
internal static class CertificateIssuer
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    /// <summary>What the server's certificate is for (extended key usage): replicas show it to each other as clients, too.</summary>
    public static readonly IReadOnlyList<string> ServerUsages = [ServerAuthentication, ClientAuthentication];

    /// <summary>What a client's certificate is for.</summary>
    public static readonly IReadOnlyList<string> ClientUsages = [ClientAuthentication];

    // Clocks differ.
    private static readonly TimeSpan Leeway = TimeSpan.FromMinutes(5);

    /// <summary>An authority that signs itself.</summary>
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
        using var certificate = request.CreateSelfSigned(now - Leeway, now + lifetime);
        return KeyPair.Of(certificate, key);
    }

    /// <summary>A server's certificate, which replicas also show to each other as clients.</summary>
    public static KeyPair Server(X509Certificate2 authority, IReadOnlyList<string> names, DateTimeOffset now, TimeSpan lifetime) =>
        Leaf(authority, names, ServerUsages, now, lifetime);

    /// <summary>A client's certificate.</summary>
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

        // A common name has 64 characters at most; the alternative names are what counts.
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
            now - Leeway,
            end.UtcDateTime < authority.NotAfter.ToUniversalTime() ? end : new DateTimeOffset(authority.NotAfter),
            RandomNumberGenerator.GetBytes(16)
        );
        return KeyPair.Of(certificate, key);
    }
}
