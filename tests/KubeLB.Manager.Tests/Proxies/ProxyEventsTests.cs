using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Proxies;
using KubeLB.Manager.Proxies.Serving;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.Time.Testing;

namespace KubeLB.Manager.Tests.Proxies;

[Trait("Threat", "xds-events")]
public sealed class ProxyEventsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<(string Tenant, string Reason, string Message)> _recorded = [];
    private readonly ProxyEvents _events;

    public ProxyEventsTests() =>
        _events = new ProxyEvents(
            node =>
                node.StartsWith("tenant-", StringComparison.Ordinal)
                    ? new Tenant { Metadata = new() { Name = node["tenant-".Length..] } }
                    : null,
            (tenant, reason, message) => _recorded.Add((tenant.Name, reason, message)),
            _time
        );

    [Fact]
    public void Rejection_names_the_resource_and_quotes_envoy()
    {
        Reject("tenant-a", "no such\n\tthing.", ResourceTypes.Cluster, "default-web-web-80-TCP");

        _recorded
            .Should()
            .Equal(
                (
                    "a",
                    "ProxyRejected",
                    "Envoy rejected the cluster default-web-web-80-TCP and keeps the last accepted configuration: no such thing. "
                        + "See the manager's log and /debug/xds."
                )
            );
    }

    [Fact]
    public void Rejection_of_many_resources_names_three_of_them()
    {
        Reject("tenant-a", "bad", ResourceTypes.Listener, "a", "b", "c", "d", "e");

        _recorded.Single().Message.Should().StartWith("Envoy rejected the listener a, b, c and 2 more and keeps");
    }

    [Fact]
    public void Rejection_of_a_certificate_does_not_quote_envoy()
    {
        Reject("tenant-a", "PRIVATE KEY", ResourceTypes.Secret, "s");

        _recorded.Single().Message.Should().NotContain("PRIVATE").And.Contain("see the proxy's log");
    }

    [Fact]
    public void Repeated_rejections_of_a_tenant_record_one_Event_in_five_minutes()
    {
        for (var i = 0; i < 1_000; i++)
        {
            Reject("tenant-a", $"error {i}", ResourceTypes.Cluster, "a");
        }

        Reject("tenant-b", "error", ResourceTypes.Cluster, "a");
        _recorded.Select(r => r.Tenant).Should().Equal("a", "b");

        _time.Advance(Delays.ProxyEvent);
        Reject("tenant-a", "again", ResourceTypes.Cluster, "a");
        _recorded.Should().HaveCount(3).And.Subject.Last().Message.Should().Contain("again");
    }

    [Fact]
    public void Long_Envoy_error_is_truncated()
    {
        Reject("tenant-a", new string('x', 4_000), ResourceTypes.Cluster, "a");

        _recorded.Single().Message.Length.Should().BeLessThan(EnvoyText.MaxLength + 200);
    }

    /// <summary>Node id, identity of the certificate, Tenant of the Event, and remedy.</summary>
    [Theory]
    [InlineData("tenant-a", "tenant-b", "a", "mount the current Secret envoy-xds-client of tenant-a; else")]
    [InlineData("tenant-a", null, "a", "mount the current Secret envoy-xds-client of tenant-a.")]
    [InlineData("tenant-a", "tenant-a", "a", "for a deleted Tenant of this name")]
    [InlineData("made-up", "tenant-b", "b", "set node.id to tenant-b")]
    public void Denied_stream_records_an_Event_on_the_affected_Tenant(string node, string? identity, string tenant, string remedy)
    {
        _events.Denied(node, "ipv4:10.0.0.7:4242", new XdsDenial("no", identity));

        var (of, reason, message) = _recorded.Should().ContainSingle().Subject;
        (of, reason).Should().Be((tenant, "ProxyDenied"));
        message.Should().Contain(remedy).And.Contain("from 10.0.0.7").And.NotContain("made-up").And.NotContain("4242");
        message.Length.Should().BeLessThan(201);
    }

    [Fact]
    public void Client_without_Tenant_records_no_Event()
    {
        _events.Denied("made-up", "ipv4:10.0.0.7:1", new XdsDenial("no"));
        Reject("made-up", "bad", ResourceTypes.Cluster, "a");

        _recorded.Should().BeEmpty();
    }

    [Fact]
    public void Repeated_denials_with_invalid_node_ids_record_one_Event_in_five_minutes()
    {
        for (var i = 0; i < 1_000; i++)
        {
            _events.Denied($"made-up-{i}", $"ipv4:10.0.0.{i % 250}:1", new XdsDenial("no", "tenant-b"));
        }

        _recorded.Should().ContainSingle();
        _time.Advance(Delays.ProxyEvent);
        _events.Denied("made-up", "ipv4:10.0.0.0:1", new XdsDenial("no", "tenant-b"));
        _recorded.Should().HaveCount(2);
    }

    [Fact]
    public void Stored_Events_are_bounded_and_expire()
    {
        for (var i = 0; i < 2 * ProxyEvents.Limit; i++)
        {
            _events.Denied($"tenant-{i}", "ipv4:10.0.0.7:1", new XdsDenial("no", "tenant-b"));
        }

        _recorded.Should().HaveCount(ProxyEvents.Limit);
        _time.Advance(Delays.ProxyEvent);
        _events.Denied("tenant-new", "ipv4:10.0.0.7:1", new XdsDenial("no", "tenant-b"));
        _recorded.Last().Tenant.Should().Be("new");
    }

    private void Reject(string node, string message, string typeUrl, params string[] resources) =>
        _events.Rejected(
            new XdsStreamInfo(1, node, "ipv4:10.0.0.7:4242", "s", Delta: true),
            new XdsRejection(typeUrl, 13, message, resources, _time.GetUtcNow())
        );
}
