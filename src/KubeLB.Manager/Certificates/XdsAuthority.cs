using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KubeLB.Manager.Certificates;

/// <summary>
/// The certificate authority of xDS. It is replaced in two steps: the next authority is trusted for weeks before it signs, so that every
/// peer trusts a new certificate.
/// </summary>
/// <param name="Signing">The authority that signs.</param>
/// <param name="Next">The authority that will sign next; null if it has not been created yet.</param>
/// <param name="Trusted">PEM of all trusted authorities.</param>
internal sealed record XdsAuthority(KeyPair Signing, KeyPair? Next, string Trusted)
{
    private const string Name = "KubeLB xDS";

    /// <summary>Performs the due step of the replacement; returns the same authority if no step is due.</summary>
    /// <param name="present">The current authority; a new one is created if it is null, invalid or expired.</param>
    /// <param name="now">The current time.</param>
    public static XdsAuthority Renew(XdsAuthority? present, DateTimeOffset now)
    {
        using var signing = present?.Signing.Load();
        if (present is null || signing is null || Left(signing, now) <= TimeSpan.Zero)
        {
            var first = CertificateIssuer.Authority(Name, now, CertificateTimes.Authority);
            return new XdsAuthority(first, null, first.Certificate);
        }

        using var next = present.Next?.Load();
        if (!Trusts(present.Trusted, signing) || (next is not null && !Trusts(present.Trusted, next)))
        {
            // The Secret was edited: the signing and the next authority must be trusted; other valid ones stay trusted.
            present = present with
            {
                Trusted = string.Concat(
                    new[] { present.Signing.Certificate, next is null ? "" : present.Next!.Certificate }.Concat(
                        Read(present.Trusted)
                            .Where(c => Left(c, now) > TimeSpan.Zero && !Same(c, signing) && !Same(c, next))
                            .Select(c => c.ExportCertificatePem() + "\n")
                    )
                ),
            };
        }

        if (Left(signing, now) > CertificateTimes.NextAuthority)
        {
            return present;
        }

        if (next is null)
        {
            var created = CertificateIssuer.Authority(Name, now, CertificateTimes.Authority);
            return present with { Next = created, Trusted = present.Signing.Certificate + created.Certificate };
        }

        // The old authority stays trusted: its certificates are renewed within weeks, and it is valid for months.
        return
            Left(signing, now) > CertificateTimes.AuthorityRollover
            || now.UtcDateTime - next.NotBefore.ToUniversalTime() < CertificateTimes.MinTrustBeforeSigning
            ? present
            : new XdsAuthority(present.Next!, null, present.Next!.Certificate + present.Signing.Certificate);
    }

    /// <summary>Whether a certificate is signed by this authority, has these names and usages, and need not be renewed yet.</summary>
    public bool IsValid(KeyPair? leaf, IReadOnlyList<string> names, IReadOnlyList<string> usages, DateTimeOffset now)
    {
        using var certificate = leaf?.Load();
        using var signing = Signing.Load();
        return certificate is not null
            && Left(certificate, now) > CertificateTimes.Renewal
            && NamesOf(certificate).SequenceEqual(names)
            && usages.All(usage =>
                certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Any(e => e.EnhancedKeyUsages[usage] is not null)
            )
            && certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().FirstOrDefault()?.KeyIdentifier is { } issuer
            && signing!.Extensions.OfType<X509SubjectKeyIdentifierExtension>().FirstOrDefault()?.SubjectKeyIdentifierBytes is { } authority
            && issuer.Span.SequenceEqual(authority.Span);
    }

    /// <summary>The DNS names of a certificate.</summary>
    public static IEnumerable<string> NamesOf(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(e => e.EnumerateDnsNames());

    /// <summary>Reads the authorities in a PEM text; empty if it is invalid.</summary>
    public static X509Certificate2Collection Read(string trusted)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(trusted);
        }
        catch (CryptographicException)
        {
            certificates.Clear();
        }

        return certificates;
    }

    private static bool Trusts(string trusted, X509Certificate2 authority) => Read(trusted).Any(c => Same(c, authority));

    private static bool Same(X509Certificate2 one, X509Certificate2? other) =>
        other is not null && one.RawData.AsSpan().SequenceEqual(other.RawData);

    private static TimeSpan Left(X509Certificate2 certificate, DateTimeOffset now) =>
        certificate.NotAfter.ToUniversalTime() - now.UtcDateTime;
}

/// <summary>Lifetimes of certificates, and the times before expiry at which they are replaced.</summary>
internal static class CertificateTimes
{
    /// <summary>Lifetime of an authority.</summary>
    public static readonly TimeSpan Authority = TimeSpan.FromDays(5 * 365);

    /// <summary>Time before the authority's expiry at which the next one is created and trusted, but does not sign yet.</summary>
    public static readonly TimeSpan NextAuthority = TimeSpan.FromDays(365);

    /// <summary>Time before the authority's expiry at which the next one signs.</summary>
    public static readonly TimeSpan AuthorityRollover = TimeSpan.FromDays(300);

    /// <summary>Minimum time for which the next authority is trusted before it signs, so that every peer has read it.</summary>
    public static readonly TimeSpan MinTrustBeforeSigning = TimeSpan.FromDays(7);

    /// <summary>Lifetime of a server's or client's certificate.</summary>
    public static readonly TimeSpan Leaf = TimeSpan.FromDays(90);

    /// <summary>Time before the expiry of a server's or client's certificate at which it is renewed.</summary>
    public static readonly TimeSpan Renewal = TimeSpan.FromDays(30);

    /// <summary>Interval at which certificates are checked for renewal.</summary>
    public static readonly TimeSpan CheckInterval = TimeSpan.FromHours(6);
}
