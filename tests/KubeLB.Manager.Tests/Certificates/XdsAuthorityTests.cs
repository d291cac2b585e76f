using KubeLB.Manager.Certificates;

namespace KubeLB.Manager.Tests.Certificates;

public sealed class XdsAuthorityTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void An_authority_stays_while_it_has_a_year_left()
    {
        var authority = XdsAuthority.Renew(null, Start);

        XdsAuthority
            .At(authority, Start + CertificateTimes.Authority - CertificateTimes.NextAuthority - TimeSpan.FromDays(1))
            .Should()
            .BeSameAs(authority);
    }

    [Fact]
    public void The_next_authority_is_trusted_long_before_it_signs_and_the_old_one_long_after()
    {
        var first = XdsAuthority.Renew(null, Start);

        var announced = XdsAuthority.Renew(first, Start + CertificateTimes.Authority - CertificateTimes.NextAuthority);
        announced.Signing.Should().Be(first.Signing);
        announced.Trusted.Should().Be(first.Signing.Certificate + announced.Next!.Certificate);

        var changed = XdsAuthority.Renew(announced, Start + CertificateTimes.Authority - CertificateTimes.AuthorityRollover);
        changed.Signing.Should().Be(announced.Next);
        changed.Next.Should().BeNull();
        XdsAuthority
            .Read(changed.Trusted)
            .Select(c => c.GetCertHashString())
            .Should()
            .BeEquivalentTo(XdsAuthority.Read(announced.Trusted).Select(c => c.GetCertHashString()));
    }

    [Theory]
    [InlineData("not a certificate", "not a key")]
    [InlineData("", "")]
    public void What_cannot_be_read_is_replaced(string certificate, string key)
    {
        var authority = XdsAuthority.Renew(new XdsAuthority(new KeyPair(certificate, key), null, certificate), Start);

        using var usable = authority.Signing.Load();
        usable.Should().NotBeNull();
    }

    [Theory]
    [InlineData("not a certificate")]
    [InlineData("")]
    public void Trust_that_cannot_be_read_is_made_anew_from_those_who_sign(string trusted)
    {
        var announced = XdsAuthority.Renew(XdsAuthority.Renew(null, Start), Start + CertificateTimes.Authority - CertificateTimes.NextAuthority);

        var mended = XdsAuthority.Renew(
            announced with
            {
                Trusted = trusted,
            },
            Start + CertificateTimes.Authority - CertificateTimes.NextAuthority
        );

        mended.Should().Be(announced);
        XdsAuthority.Renew(mended, Start + CertificateTimes.Authority - CertificateTimes.NextAuthority).Should().BeSameAs(mended);
    }

    [Fact]
    public void An_authority_that_somebody_put_in_place_is_trusted_beside_the_former_one()
    {
        var former = XdsAuthority.Renew(null, Start);
        var other = XdsAuthority.Renew(null, Start);

        var mended = XdsAuthority.Renew(other with { Trusted = former.Trusted }, Start);

        mended.Signing.Should().Be(other.Signing);
        XdsAuthority
            .Read(mended.Trusted)
            .Select(c => c.GetCertHashString())
            .Should()
            .BeEquivalentTo(XdsAuthority.Read(other.Trusted).Concat(XdsAuthority.Read(former.Trusted)).Select(c => c.GetCertHashString()));
        XdsAuthority.Renew(mended, Start).Should().BeSameAs(mended);
        XdsAuthority.Renew(mended, Start + CertificateTimes.Authority + TimeSpan.FromDays(1)).Signing.Should().NotBe(other.Signing);
    }

    [Fact]
    public void A_certificate_is_good_for_its_names_until_a_month_before_its_end()
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
        authority.IsValid(client, ["a.example"], CertificateIssuer.ServerUsages, Start).Should().BeFalse("it is not for servers");
        XdsAuthority
            .At(null, Start)
            .IsValid(client, ["a.example"], CertificateIssuer.ClientUsages, Start)
            .Should()
            .BeFalse("another authority signed it");
    }

    [Fact]
    public void An_authority_that_was_announced_late_does_not_sign_before_everybody_can_have_heard_of_it()
    {
        var late = Start + CertificateTimes.Authority - CertificateTimes.AuthorityRollover + TimeSpan.FromDays(10);
        var announced = XdsAuthority.Renew(XdsAuthority.Renew(null, Start), late);

        announced.Next.Should().NotBeNull();
        XdsAuthority.Renew(announced, late + TimeSpan.FromHours(6)).Should().BeSameAs(announced);
        XdsAuthority.Renew(announced, late + CertificateTimes.MinTrustBeforeSigning).Signing.Should().Be(announced.Next);
    }

    [Fact]
    public void A_key_is_in_no_text_but_its_secret() => XdsAuthority.Renew(null, Start).ToString().Should().NotContain("PRIVATE KEY");

    [Theory]
    [InlineData("3f09b8dc.tenant-t.proxies.kubelb.k8c.io", "tenant-t 3f09b8dc")]
    [InlineData("tenant-t.proxies.kubelb.k8c.io", null)]
    [InlineData("3f09b8dc.x.tenant-t.proxies.kubelb.k8c.io", null)]
    [InlineData("3f09b8dc.tenant-t.proxies.kubelb.k8c.io.example.com", null)]
    [InlineData("proxies.kubelb.k8c.io", null)]
    public void The_tenant_and_its_uid_are_in_the_name(string name, string? identity) =>
        (CertificateSecrets.IdentityOf([name]) is { } found ? $"{found.TenantNamespace} {found.TenantUid}" : null).Should().Be(identity);

    [Fact]
    public void Two_names_are_none() =>
        CertificateSecrets.IdentityOf(["1.tenant-a.proxies.kubelb.k8c.io", "1.tenant-b.proxies.kubelb.k8c.io"]).Should().BeNull();

    [Fact]
    public void What_is_written_is_what_is_read()
    {
        var identity = new ProxyIdentity("tenant-t", "3f09b8dc-48f4-40e9-8edd-e96f4afd02ae");

        CertificateSecrets.IdentityOf([CertificateSecrets.ClientName(identity)]).Should().Be(identity);
    }
}
