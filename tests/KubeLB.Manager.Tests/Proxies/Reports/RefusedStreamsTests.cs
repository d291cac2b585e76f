using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Proxies.Reports;
using KubeLB.Xds.Discovery;
using Microsoft.Extensions.Time.Testing;

namespace KubeLB.Manager.Tests.Proxies.Reports;

public sealed class RefusedStreamsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly RefusedStreams _refused;
    private int _changes;

    public RefusedStreamsTests()
    {
        _refused = new RefusedStreams(
            node => node.StartsWith("tenant-", StringComparison.Ordinal) ? new Tenant { Metadata = new() { Name = node["tenant-".Length..] } } : null, _time);
        _refused.Changed += () => _changes++;
    }

    /// <summary>Node id, what the certificate proves, the Tenant that is told, and what it is told to do.</summary>
    [Theory]
    [InlineData("tenant-a", "tenant-b", "a", "mount Secret envoy-xds-client of namespace tenant-a")]
    [InlineData("tenant-a", null, "a", "let it read the present Secret envoy-xds-client of namespace tenant-a")]
    [InlineData("tenant-a", "tenant-a", "a", "of a Tenant that had this name before")]
    [InlineData("made-up", "tenant-b", "b", "set its node.id to tenant-b")]
    public void The_tenant_that_it_concerns_is_told_what_to_do(string node, string? identity, string tenant, string advice)
    {
        _refused.Refused(node, "ipv4:10.0.0.7:4242", new XdsRefusal("no", identity));

        var told = _refused.Now().Streams.Should().ContainSingle().Subject;
        told.Tenant.Should().Be(tenant);
        told.Message.Should().Contain(advice).And.Contain("at 10.0.0.7").And.NotContain("made-up").And.NotContain("4242");
    }

    [Fact]
    public void Who_is_nobodys_is_not_remembered()
    {
        _refused.Refused("made-up", "ipv4:10.0.0.7:1", new XdsRefusal("no"));

        _refused.Now().Streams.Should().BeEmpty();
        _changes.Should().Be(0);
    }

    [Fact]
    public void Repetitions_and_made_up_node_ids_are_told_once_in_a_while()
    {
        for (var i = 0; i < 1000; i++)
        {
            _refused.Refused($"made-up-{i}", $"ipv4:10.0.0.{i % 250}:1", new XdsRefusal("no", "tenant-b"));
        }

        _changes.Should().Be(1);
        var first = _refused.Now().Streams.Single();
        _time.Advance(RefusedStreams.Memory);
        _refused.Now().Streams.Should().BeEmpty();

        _refused.Refused("made-up", "ipv4:10.0.0.0:1", new XdsRefusal("no", "tenant-b"));
        _refused.Now().Streams.Single().Should().Be(first with { At = _time.GetUtcNow() });
    }

    [Fact]
    public void There_is_an_end_to_what_is_remembered()
    {
        for (var i = 0; i < 2 * RefusedStreams.Limit; i++)
        {
            _refused.Refused($"tenant-{i}", "ipv4:10.0.0.7:1", new XdsRefusal("no", "tenant-b"));
        }

        _refused.Now().Streams.Should().HaveCount(RefusedStreams.Limit);
    }
}
