using System.Text.Json.Nodes;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Routes;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Status;

namespace KubeLB.Manager.Tests.Routes;

public sealed class StatusDebouncerTests
{
    private readonly ManualClock _clock = new();

    [Fact]
    public void Status_without_response_is_delayed_once_per_generation()
    {
        var debouncer = new StatusDebouncer(_clock);
        var route = new Route
        {
            Metadata = new()
            {
                Name = "r",
                NamespaceProperty = "tenant-t",
                Uid = "u",
            },
        };

        debouncer.TimeLeft(route, Generated(1)).Should().Be(Delays.StatusAnswer);
        _clock.Advance(Delays.StatusAnswer / 2);
        debouncer.TimeLeft(route, Generated(1)).Should().Be(Delays.StatusAnswer / 2);
        _clock.Advance(Delays.StatusAnswer / 2);
        debouncer.TimeLeft(route, Generated(1)).Should().BeNull();
        _clock.Advance(Delays.StatusAnswer);
        debouncer.TimeLeft(route, Generated(1)).Should().BeNull("the delay is over");
        debouncer.TimeLeft(route, Generated(2)).Should().Be(Delays.StatusAnswer);
        debouncer.Forget(ResourceKey.Of(route));
        debouncer.TimeLeft(route, Generated(2)).Should().Be(Delays.StatusAnswer);
    }

    [Fact]
    public void Changed_counts_are_delayed_again_after_each_write()
    {
        var debouncer = new StatusDebouncer(_clock);
        var route = new Route
        {
            Metadata = new()
            {
                Name = "g",
                NamespaceProperty = "tenant-t",
                Uid = "u",
            },
            Status = WithCount(1),
        };

        debouncer.TimeLeft(route, WithCount(2)).Should().Be(Delays.StatusCounts);
        _clock.Advance(Delays.StatusCounts);
        debouncer.TimeLeft(route, WithCount(3)).Should().BeNull();
        route.Status = WithCount(3);
        debouncer.TimeLeft(route, WithCount(3)).Should().BeNull("nothing changed");
        debouncer.TimeLeft(route, WithCount(4)).Should().Be(Delays.StatusCounts);
    }

    private static RouteStatus Generated(long generation) =>
        new()
        {
            Resources = new RouteResources
            {
                Route = new GeneratedObject
                {
                    Kind = "HTTPRoute",
                    GeneratedName = "n",
                    Generation = generation,
                    Status = [],
                },
            },
        };

    private static RouteStatus WithCount(int routes) =>
        new()
        {
            Resources = new RouteResources
            {
                Route = new GeneratedObject
                {
                    Kind = "Gateway",
                    GeneratedName = "n",
                    Generation = 1,
                    Status = new JsonObject
                    {
                        ["conditions"] = new JsonArray(
                            new JsonObject
                            {
                                ["type"] = "Accepted",
                                ["status"] = "True",
                                ["reason"] = "Accepted",
                                ["message"] = "",
                                ["observedGeneration"] = 1,
                            }
                        ),
                        ["listeners"] = new JsonArray(new JsonObject { ["name"] = "http", ["attachedRoutes"] = routes }),
                    },
                },
            },
        };
}

public sealed class ServiceDrainTests
{
    private static readonly ResourceKey Route = new("tenant-t", "r");
    private static readonly TimeSpan AfterResponse = TimeSpan.FromSeconds(5);

    private readonly ManualClock _clock = new();
    private readonly ServiceDrain _draining;

    public ServiceDrainTests() => _draining = new ServiceDrain(new ManagerOptions { ServiceDrain = AfterResponse }, _clock);

    [Fact]
    public void Services_drain_after_Envoy_Gateway_has_responded()
    {
        Left(generation: 2, observed: 1).Should().Be(Delays.ServiceDrainWithoutAnswer);
        _clock.Advance(TimeSpan.FromSeconds(10));
        Left(generation: 2, observed: 2).Should().Be(AfterResponse);
        _clock.Advance(AfterResponse);
        Left(generation: 2, observed: 2).Should().BeNull();
    }

    [Fact]
    public void Services_without_response_are_removed_after_the_timeout()
    {
        Left(generation: 2, observed: null);
        _clock.Advance(Delays.ServiceDrainWithoutAnswer);

        Left(generation: 2, observed: null).Should().BeNull();
    }

    [Fact]
    public void New_generation_restarts_the_drain()
    {
        Left(generation: 2, observed: 2);
        _clock.Advance(AfterResponse);
        _draining.Forget(Route);

        Left(generation: 3, observed: 2).Should().Be(Delays.ServiceDrainWithoutAnswer);
        Left(generation: 3, observed: 3).Should().Be(AfterResponse);
    }

    [Fact]
    public void Services_of_the_old_route_stay_while_the_new_one_fails()
    {
        _clock.Advance(Delays.ServiceDrainWithoutAnswer);

        _draining.TimeLeft(Route, HttpRoute.KindName, AppliedObject.Failed("no"), 1).Should().NotBeNull();
    }

    [Fact]
    public void Services_of_a_parked_route_do_not_wait_for_Envoy_Gateway() =>
        _draining
            .TimeLeft(Route, HttpRoute.KindName, Generated(generation: 2, observed: null), 1, isParked: true)
            .Should()
            .Be(AfterResponse);

    [Fact]
    public void Draining_Services_beyond_the_maximum_are_removed() =>
        _draining.TimeLeft(Route, HttpRoute.KindName, Generated(2, 1), ServiceDrain.MaxServices + 1).Should().BeNull();

    private TimeSpan? Left(int generation, int? observed) =>
        _draining.TimeLeft(Route, HttpRoute.KindName, Generated(generation, observed), 1);

    private static AppliedObject Generated(int generation, int? observed) =>
        new(
            generation,
            observed is null
                ? null
                : new JsonObject
                {
                    ["parents"] = new JsonArray(
                        new JsonObject
                        {
                            ["conditions"] = new JsonArray(
                                new JsonObject
                                {
                                    ["type"] = "Accepted",
                                    ["status"] = "True",
                                    ["reason"] = "Accepted",
                                    ["observedGeneration"] = observed,
                                }
                            ),
                        }
                    ),
                },
            Error: null
        );
}

/// <summary>A clock that the test advances.</summary>
internal sealed class ManualClock : TimeProvider
{
    private long _ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _ticks;

    public void Advance(TimeSpan time) => _ticks += time.Ticks;
}
