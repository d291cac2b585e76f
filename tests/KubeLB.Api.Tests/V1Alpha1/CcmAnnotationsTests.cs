using KubeLB.Api.V1Alpha1;

namespace KubeLB.Api.Tests.V1Alpha1;

[Trait("Threat", "forged-ccm-report")]
public sealed class CcmAnnotationsTests
{
    private const string Uid = "9f1c2c1e-7d38-4a6e-9a9e-0d1f5c3b2a11";
    private static readonly DateTimeOffset Time = new(2026, 11, 29, 5, 0, 0, TimeSpan.Zero);

    [Fact]
    public void RejectedCluster_is_written_in_the_form_of_the_contract_and_read_back()
    {
        var value = new RejectedCluster(Uid, Time, "1.2.3");

        value.Write().Should().Be($$"""{"uid":"{{Uid}}","time":"2026-11-29T05:00:00Z","version":"1.2.3"}""");
        RejectedCluster.Read(value.Write()).Should().Be(value);
    }

    [Fact]
    public void RejectedCluster_with_an_unknown_field_is_read() =>
        RejectedCluster
            .Read($$"""{"uid":"{{Uid}}","time":"2026-11-29T05:00:00.25Z","version":"v1.2.3-rc.1+abc","more":1}""")!
            .Version.Should()
            .Be("v1.2.3-rc.1+abc");

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("\"u\"")]
    [InlineData("""{"uid":"u","time":"2026-11-29T05:00:00Z"}""")]
    [InlineData("""{"uid":"","time":"2026-11-29T05:00:00Z","version":"1"}""")]
    [InlineData("""{"uid":1,"time":"2026-11-29T05:00:00Z","version":"1"}""")]
    [InlineData("""{"uid":"a b","time":"2026-11-29T05:00:00Z","version":"1"}""")]
    [InlineData("""{"uid":"a\nb","time":"2026-11-29T05:00:00Z","version":"1"}""")]
    [InlineData("""{"uid":"a","time":"2026-11-29T05:00:00Z","version":"\u001b[31m"}""")]
    [InlineData("""{"uid":"\ud800","time":"2026-11-29T05:00:00Z","version":"1"}""")]
    [InlineData("""{"uid":"ä","time":"2026-11-29T05:00:00Z","version":"1"}""")]
    [InlineData("""{"uid":"a","time":"yesterday","version":"1"}""")]
    [InlineData("""{"uid":"a","time":"2026-11-29T05:00:00+01:00","version":"1"}""")]
    [InlineData("""{"uid":"a","uid":"b","time":"2026-11-29T05:00:00Z","version":"1"}""")]
    [InlineData("""{"uid":"a","time":"2026-11-29T05:00:00Z","version":"1","more":[[[1]]]}""")]
    public void RejectedCluster_that_is_malformed_is_ignored(string? text) => RejectedCluster.Read(text).Should().BeNull();

    [Fact]
    public void RejectedCluster_with_a_text_too_long_is_ignored()
    {
        RejectedCluster.Read(new RejectedCluster(new string('a', 64), Time, "1").Write()).Should().NotBeNull();
        RejectedCluster.Read(new RejectedCluster(new string('a', 65), Time, "1").Write()).Should().BeNull();
        RejectedCluster.Read(new RejectedCluster("a", Time, new string('1', 65)).Write()).Should().BeNull();
        RejectedCluster
            .Read($$"""{"uid":"a","time":"2026-11-29T05:00:00Z","version":"1","more":"{{new string('x', 512)}}"}""")
            .Should()
            .BeNull();
    }

    [Theory]
    [InlineData("2026-11-29T05:00:00Z", true)]
    [InlineData("2026-11-29T05:00:00.123456Z", true)]
    [InlineData("2026-11-29T05:00:00", false)]
    [InlineData("2026-11-29 05:00:00Z", false)]
    [InlineData("2026-13-29T05:00:00Z", false)]
    [InlineData("", false)]
    public void LastSeen_is_read_in_UTC_only(string text, bool isRead) =>
        (CcmAnnotations.LastSeenOf(Annotated(Annotations.LastSeen, text)) is not null).Should().Be(isRead);

    [Fact]
    public void Addresses_without_annotations_have_no_values()
    {
        foreach (var addresses in new[] { null, new Addresses(), Annotated("other", "x") })
        {
            CcmAnnotations.ClusterUidOf(addresses).Should().BeNull();
            CcmAnnotations.RejectedClusterOf(addresses).Should().BeNull();
            CcmAnnotations.LastSeenOf(addresses).Should().BeNull();
            CcmAnnotations.CcmVersionOf(addresses).Should().BeNull();
        }
    }

    private static Addresses Annotated(string annotation, string value) =>
        new() { Metadata = { Annotations = new Dictionary<string, string> { [annotation] = value } } };
}
