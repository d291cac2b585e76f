using KubeLB.Manager.Certificates;

namespace KubeLB.Manager.Tests.Proxies;

public sealed class XdsAuthorityTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Authority_with_more_than_a_year_left_is_kept()
    {
        var authority = XdsAuthority.Renew(null, Start);

        XdsAuthority
            .Renew(authority, Start + CertificateTimes.Authority - CertificateTimes.NextAuthority - TimeSpan.FromDays(1))
            .Should()
            .BeSameAs(authority);
    }

    [Fact]
    public void Authority_rollover_keeps_both_authorities_trusted()
    {
        var first = XdsAuthority.Renew(null, Start);

        var next = XdsAuthority.Renew(first, Start + CertificateTimes.Authority - CertificateTimes.NextAuthority);
        next.Signing.Should().Be(first.Signing);
        next.Trusted.Should().Be(first.Signing.Certificate + next.Next!.Certificate);

        var changed = XdsAuthority.Renew(next, Start + CertificateTimes.Authority - CertificateTimes.AuthorityRollover);
        changed.Signing.Should().Be(next.Next);
        changed.Next.Should().BeNull();
        XdsAuthority
            .Read(changed.Trusted)
            .Select(c => c.GetCertHashString())
            .Should()
            .BeEquivalentTo(XdsAuthority.Read(next.Trusted).Select(c => c.GetCertHashString()));
    }

    [Theory]
    [InlineData("not a certificate", "not a key")]
    [InlineData("", "")]
    public void Invalid_authority_is_replaced(string certificate, string key)
    {
        var authority = XdsAuthority.Renew(new XdsAuthority(new KeyPair(certificate, key), null, certificate), Start);

        using var usable = authority.Signing.Load();
        usable.Should().NotBeNull();
    }

    [Theory]
    [InlineData("not a certificate")]
    [InlineData("")]
    public void Invalid_trusted_authorities_are_rebuilt_from_the_signing_ones(string trusted)
    {
        var next = XdsAuthority.Renew(XdsAuthority.Renew(null, Start), Start + CertificateTimes.Authority - CertificateTimes.NextAuthority);

        var repaired = XdsAuthority.Renew(
            next with
            {
                Trusted = trusted,
            },
            Start + CertificateTimes.Authority - CertificateTimes.NextAuthority
        );

        repaired.Should().Be(next);
        XdsAuthority.Renew(repaired, Start + CertificateTimes.Authority - CertificateTimes.NextAuthority).Should().BeSameAs(repaired);
    }

    [Fact]
    public void Manually_replaced_authority_is_trusted_with_the_former_one()
    {
        var former = XdsAuthority.Renew(null, Start);
        var other = XdsAuthority.Renew(null, Start);

        var repaired = XdsAuthority.Renew(other with { Trusted = former.Trusted }, Start);

        repaired.Signing.Should().Be(other.Signing);
        XdsAuthority
            .Read(repaired.Trusted)
            .Select(c => c.GetCertHashString())
            .Should()
            .BeEquivalentTo(XdsAuthority.Read(other.Trusted).Concat(XdsAuthority.Read(former.Trusted)).Select(c => c.GetCertHashString()));
        XdsAuthority.Renew(repaired, Start).Should().BeSameAs(repaired);
        XdsAuthority.Renew(repaired, Start + CertificateTimes.Authority + TimeSpan.FromDays(1)).Signing.Should().NotBe(other.Signing);
    }

    [Fact]
    public void Certificate_is_valid_for_its_names_until_a_month_before_expiry()
    {
        var authority = XdsAuthority.Renew(null, Start);
        using var signing = authority.Signing.Load();
        var client = CertificateIssuer.Client(signing!, "a.example", Start, CertificateTimes.Leaf);

        authority
            .IsValid(
                client,
                ["a.example"],
                CertificateIssuer.ClientUsages,
                Start + CertificateTimes.Leaf - CertificateTimes.Renewal - TimeSpan.FromHours(1)
            )
            .Should()
            .BeTrue();
        authority
            .IsValid(client, ["a.example"], CertificateIssuer.ClientUsages, Start + CertificateTimes.Leaf - CertificateTimes.Renewal)
            .Should()
            .BeFalse();
        authority.IsValid(client, ["b.example"], CertificateIssuer.ClientUsages, Start).Should().BeFalse();
        authority
            .IsValid(client, ["a.example"], CertificateIssuer.ServerUsages, Start)
            .Should()
            .BeFalse("the certificate is not for servers");
        XdsAuthority
            .Renew(null, Start)
            .IsValid(client, ["a.example"], CertificateIssuer.ClientUsages, Start)
            .Should()
            .BeFalse("another authority signed it");
    }

    [Fact]
    public void Authority_added_late_does_not_sign_before_the_minimum_trust_time()
    {
        var late = Start + CertificateTimes.Authority - CertificateTimes.AuthorityRollover + TimeSpan.FromDays(10);
        var next = XdsAuthority.Renew(XdsAuthority.Renew(null, Start), late);

        next.Next.Should().NotBeNull();
        XdsAuthority.Renew(next, late + TimeSpan.FromHours(6)).Should().BeSameAs(next);
        XdsAuthority.Renew(next, late + CertificateTimes.MinTrustBeforeSigning).Signing.Should().Be(next.Next);
    }

    [Fact]
    public void Private_key_is_not_part_of_ToString() => XdsAuthority.Renew(null, Start).ToString().Should().NotContain("PRIVATE KEY");

    [Theory]
    [InlineData("3f09b8dc.tenant-t.proxies.kubelb.k8c.io", "tenant-t 3f09b8dc")]
    [InlineData("tenant-t.proxies.kubelb.k8c.io", null)]
    [InlineData("3f09b8dc.x.tenant-t.proxies.kubelb.k8c.io", null)]
    [InlineData("3f09b8dc.tenant-t.proxies.kubelb.k8c.io.example.com", null)]
    [InlineData("proxies.kubelb.k8c.io", null)]
    [Trait("Threat", "xds-other-tenant")]
    public void Client_name_contains_tenant_and_UID(string name, string? identity) =>
        (CertificateSecrets.IdentityOf([name]) is { } found ? $"{found.TenantNamespace} {found.TenantUid}" : null).Should().Be(identity);

    [Fact]
    public void Client_certificate_with_two_names_has_no_identity() =>
        CertificateSecrets.IdentityOf(["1.tenant-a.proxies.kubelb.k8c.io", "1.tenant-b.proxies.kubelb.k8c.io"]).Should().BeNull();

    [Fact]
    public void Authority_written_to_a_Secret_is_read_back()
    {
        var identity = new ProxyIdentity("tenant-t", "3f09b8dc-48f4-40e9-8edd-e96f4afd02ae");

        CertificateSecrets.IdentityOf([CertificateSecrets.ClientName(identity)]).Should().Be(identity);
    }
}
