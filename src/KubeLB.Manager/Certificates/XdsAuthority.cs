using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KubeLB.Manager.Certificates;

/// <summary>
/// Who signs the certificates of xDS, and who is trusted. An authority is replaced in two steps: first the next one is trusted, for weeks;
/// then it signs. So a new certificate never meets anybody who does not know its authority.
/// </summary>
/// <param name="Signing">The authority that signs.</param>
/// <param name="Next">The authority that is going to; null if its time has not come.</param>
/// <param name="Trusted">PEM of all authorities that are trusted.</param>
internal sealed record XdsAuthority(KeyPair Signing, KeyPair? Next, string Trusted)
{
    private const string Name = "KubeLB xDS";

    /// <summary>The authority as it should be at a time: itself if nothing is due.</summary>
    /// <param name="present">As it stands; null, or unusable, for a first one.</param>
    /// <param name="now">The time.</param>
    public static XdsAuthority At(XdsAuthority? present, DateTimeOffset now)
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
            // Somebody changed one without the other: whoever signs, or is going to, has to be trusted. Who else was, and can be read,
            // stays.
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
            var come = CertificateIssuer.Authority(Name, now, CertificateTimes.Authority);
            return present with { Next = come, Trusted = present.Signing.Certificate + come.Certificate };
        }

        // The old one stays trusted: what it signed is replaced within weeks, and it lasts for months.
        return
            Left(signing, now) > CertificateTimes.ChangeOfAuthority
            || now.UtcDateTime - next.NotBefore.ToUniversalTime() < CertificateTimes.Announcement
            ? present
            : new XdsAuthority(present.Next!, null, present.Next!.Certificate + present.Signing.Certificate);
    }

    /// <summary>Whether a certificate is good: signed by the present authority, for these names, and not near its end.</summary>
    public bool IsGood(KeyPair? leaf, IReadOnlyList<string> names, IReadOnlyList<string> usages, DateTimeOffset now)
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

    /// <summary>The DNS names that a certificate is for.</summary>
    public static IEnumerable<string> NamesOf(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(e => e.EnumerateDnsNames());

    /// <summary>Authorities of a PEM text; none if it cannot be read.</summary>
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
