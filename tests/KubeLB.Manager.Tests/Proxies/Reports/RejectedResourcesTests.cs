using KubeLB.Manager.Proxies.Reports;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.Time.Testing;

namespace KubeLB.Manager.Tests.Proxies.Reports;

public sealed class RejectedResourcesTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly RejectedResources _rejected;
    private int _changes;

    public RejectedResourcesTests()
    {
        _rejected = new RejectedResources(_time);
        _rejected.Changed += () => _changes++;
    }

    [Fact]
    public void What_streams_refuse_is_there_in_a_stable_order()
    {
        Refuses(Stream(2, "ipv4:10.0.0.8:1"), "b", "a");
        Refuses(Stream(1, "ipv6:[fd00::7]:1"), "c");

        Now().Should().Equal("tenant-t 10.0.0.8 a", "tenant-t 10.0.0.8 b", "tenant-t fd00::7 c");
        _changes.Should().Be(2);
    }

    [Fact]
    public void What_is_taken_is_gone()
    {
        Refuses(Stream(1), "a");
        Refuses(Stream(1));

        Now().Should().BeEmpty();
        _changes.Should().Be(2);
    }

    [Fact]
    public void A_proxy_that_only_reconnects_mends_nothing()
    {
        Refuses(Stream(1, "ipv4:10.0.0.7:1"), "a");
        _rejected.StreamClosed(Stream(1, "ipv4:10.0.0.7:1"));
        Now().Should().Equal("tenant-t 10.0.0.7 a");

        Refuses(Stream(2, "ipv4:10.0.0.7:2"), "a");
        _time.Advance(RejectedResources.Grace * 2);

        Now().Should().Equal("tenant-t 10.0.0.7 a");
        _rejected.Now().Until.Should().BeNull();
    }

    [Fact]
    public void A_proxy_that_comes_back_and_takes_it_has_mended_it()
    {
        Refuses(Stream(1, "ipv4:10.0.0.7:1"), "a");
        _rejected.StreamClosed(Stream(1, "ipv4:10.0.0.7:1"));
        _rejected.Acknowledged(Stream(2, "ipv4:10.0.0.8:2"), ResourceTypes.Cluster, default);
        _rejected.Acknowledged(Stream(3, "ipv4:10.0.0.7:2"), ResourceTypes.Listener, default);
        Now().Should().ContainSingle("another proxy, and another type, say nothing of it");

        _rejected.Acknowledged(Stream(3, "ipv4:10.0.0.7:2"), ResourceTypes.Cluster, default);

        Now().Should().BeEmpty();
    }

    [Fact]
    public void A_proxy_that_stays_away_is_forgotten()
    {
        Refuses(Stream(1), "a");
        _rejected.StreamClosed(Stream(1));
        _rejected.Now().Until.Should().Be(_time.GetUtcNow() + RejectedResources.Grace);

        _time.Advance(RejectedResources.Grace);

        Now().Should().BeEmpty();
    }

    [Fact]
    public void A_client_that_comes_and_goes_takes_no_more_room_than_one_that_stays()
    {
        for (var i = 0; i < 1000; i++)
        {
            Refuses(Stream(i, $"ipv4:10.0.0.7:{i}"), "a");
            _rejected.StreamClosed(Stream(i, $"ipv4:10.0.0.7:{i}"));
        }

        Now().Should().ContainSingle();
    }

    [Fact]
    public void Acknowledgements_and_ends_of_streams_are_no_news_while_nothing_is_refused()
    {
        _rejected.Acknowledged(Stream(1), ResourceTypes.Cluster, default);
        _rejected.StreamClosed(Stream(1));

        _changes.Should().Be(0);
    }

    private static XdsStreamInfo Stream(long id, string peer = "ipv4:10.0.0.7:1") => new(id, "tenant-t", peer, "ADS", Delta: true);

    private void Refuses(XdsStreamInfo stream, params string[] names) => _rejected.RejectedResourcesChanged(
        stream, ResourceTypes.Cluster, names.ToDictionary(n => n, n => new XdsRejection(ResourceTypes.Cluster, 13, "no", [n], _time.GetUtcNow())));

    private IEnumerable<string> Now() => _rejected.Now().Resources.Select(r => $"{r.Node} {r.Proxy} {r.Name}");
}
