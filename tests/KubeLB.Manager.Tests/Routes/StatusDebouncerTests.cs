using System.Text.Json.Nodes;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Routes;
using KubeLB.Runtime.Storing;

namespace KubeLB.Manager.Tests.Routes;

public sealed class StatusDebouncerTests
{
    private readonly PassingClock _clock = new();

    [Fact]
    public void An_answer_is_awaited_for_a_while_and_once_per_generation()
    {
        var pace = new StatusDebouncer(_clock);
        var route = new Route
        {
            Metadata = new()
            {
                Name = "r",
                NamespaceProperty = "tenant-t",
                Uid = "u",
            },
        };

        pace.TimeLeft(route, Generated(1)).Should().Be(Delays.StatusAnswer);
        _clock.Pass(Delays.StatusAnswer / 2);
        pace.TimeLeft(route, Generated(1)).Should().Be(Delays.StatusAnswer / 2);
        _clock.Pass(Delays.StatusAnswer / 2);
        pace.TimeLeft(route, Generated(1)).Should().BeNull();
        _clock.Pass(Delays.StatusAnswer);
        pace.TimeLeft(route, Generated(1)).Should().BeNull("it was awaited long enough");
        pace.TimeLeft(route, Generated(2)).Should().Be(Delays.StatusAnswer);
        pace.Forget(ResourceKey.Of(route));
        pace.TimeLeft(route, Generated(2)).Should().Be(Delays.StatusAnswer);
    }

    [Fact]
    public void Counts_are_gathered_again_after_each_time_that_they_are_told()
    {
        var pace = new StatusDebouncer(_clock);
        var route = new Route
        {
            Metadata = new()
            {
                Name = "g",
                NamespaceProperty = "tenant-t",
                Uid = "u",
            },
            Status = Counted(1),
        };

        pace.TimeLeft(route, Counted(2)).Should().Be(Delays.StatusCounts);
        _clock.Pass(Delays.StatusCounts);
        pace.TimeLeft(route, Counted(3)).Should().BeNull();
        route.Status = Counted(3);
        pace.TimeLeft(route, Counted(3)).Should().BeNull("nothing changed");
        pace.TimeLeft(route, Counted(4)).Should().Be(Delays.StatusCounts);
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

    private static RouteStatus Counted(int routes) =>
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
