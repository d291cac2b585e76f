using System.Text.Json.Nodes;
using KubeLB.Api.GatewayApi;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Routes;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Status;

namespace KubeLB.Manager.Tests.Routes;

public sealed class ServiceDrainTests
{
    private static readonly ResourceKey Route = new("tenant-t", "r");
    private static readonly TimeSpan AfterAnswer = TimeSpan.FromSeconds(5);

    private readonly PassingClock _clock = new();
    private readonly ServiceDrain _draining;

    public ServiceDrainTests() => _draining = new ServiceDrain(new ManagerOptions { ServiceDrain = AfterAnswer }, _clock);

    [Fact]
    public void They_stay_until_envoy_gateway_has_answered_and_a_moment_longer()
    {
        Left(generation: 2, observed: 1).Should().Be(Delays.ServiceDrainWithoutAnswer);
        _clock.Pass(TimeSpan.FromSeconds(10));
        Left(generation: 2, observed: 2).Should().Be(AfterAnswer);
        _clock.Pass(AfterAnswer);
        Left(generation: 2, observed: 2).Should().BeNull();
    }

    [Fact]
    public void Who_never_answers_is_not_waited_for_for_ever()
    {
        Left(generation: 2, observed: null);
        _clock.Pass(Delays.ServiceDrainWithoutAnswer);

        Left(generation: 2, observed: null).Should().BeNull();
    }

    [Fact]
    public void Another_change_is_another_wait()
    {
        Left(generation: 2, observed: 2);
        _clock.Pass(AfterAnswer);
        _draining.Forget(Route);

        Left(generation: 3, observed: 2).Should().Be(Delays.ServiceDrainWithoutAnswer);
        Left(generation: 3, observed: 3).Should().Be(AfterAnswer);
    }

    [Fact]
    public void What_the_standing_route_leads_to_stays_while_the_new_one_cannot_be_written()
    {
        _clock.Pass(Delays.ServiceDrainWithoutAnswer);

        _draining.TimeLeft(Route, HttpRoute.KindName, AppliedObject.Failed("no"), 1).Should().NotBeNull();
    }

    [Fact]
    public void Who_changes_backends_all_the_time_does_not_heap_them_up() =>
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
