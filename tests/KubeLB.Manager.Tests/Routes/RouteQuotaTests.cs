using System.Text.Json.Nodes;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Settings;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Tenants;

namespace KubeLB.Manager.Tests.Routes;

[Trait("Threat", "many-objects")]
public sealed class RouteQuotaTests
{
    private static readonly TenantPolicy Policy = new() { GatewayLimit = 1, RouteLimit = 2 };

    [Fact]
    public void HTTPRoutes_and_GRPCRoutes_share_a_limit_separate_from_Gateways()
    {
        var routes = new[] { Route("g", 9, "Gateway"), Route("a", 1), Route("b", 2, "GRPCRoute"), Route("c", 3) };

        Within(Policy, routes).Should().Equal("g", "a", "b");
    }

    [Fact]
    public void Routes_of_other_kinds_are_not_limited()
    {
        var others = new[]
        {
            Route("a", 1, "Gateway", "example.com/v1"),
            Route("b", 1, "Ingress"),
            new Route
            {
                Metadata = new() { Name = "c", NamespaceProperty = "tenant-t" },
            },
        };
        var routes = others.Append(Route("z", 5, "Gateway")).ToArray();

        Within(Policy, routes).Should().Equal("a", "b", "c", "z");
    }

    [Fact]
    public void Oldest_Routes_are_within_the_limit_then_by_name()
    {
        var undated = Route("0", 0);
        undated.Metadata.CreationTimestamp = null;

        Within(Policy, [undated, Route("z", 1), Route("b", 2), Route("a", 2), Route("B", 2)]).Should().BeEquivalentTo("z", "B");
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(3, 3)]
    [InlineData(7, 3)]
    public void Limit_allows_that_number_of_Routes(int limit, int within) =>
        Within(new TenantPolicy { RouteLimit = limit }, [Route("a", 1), Route("b", 2), Route("c", 3)]).Should().HaveCount(within);

    [Fact]
    public void Terminating_Route_and_its_successor_are_counted_once()
    {
        var (deleted, successor, other) = (Route("a", 1, "Gateway"), Route("a", 3, "Gateway"), Route("b", 2, "Gateway"));
        deleted.Metadata.DeletionTimestamp = DateTime.UnixEpoch.AddSeconds(3);
        successor.Metadata.Name = "successor";

        Within(Policy, [deleted, successor]).Should().Contain("successor");
        Within(Policy, [deleted, successor, other]).Should().Contain("b").And.NotContain("successor");
        Within(Policy, [deleted, other]).Should().Equal("a");
        RouteQuota.IsAffectedBy(new Change<Route>(Route("a", 1, "Gateway"), deleted)).Should().BeTrue();
    }

    [Fact]
    public void Number_of_Routes_within_the_limit_reads_no_Routes() =>
        RouteQuota
            .IsWithin(Route("a", 1), Policy, count: 2, () => throw new InvalidOperationException("no Route must be read"))
            .Should()
            .BeTrue();

    [Fact]
    public void IsWithin_and_RoutesBeyond_agree_for_random_Routes()
    {
        var random = new Random(17);
        for (var round = 0; round < 200; round++)
        {
            var routes = Enumerable
                .Range(0, random.Next(12))
                .Select(i => Route($"r{i}", random.Next(4), random.Next(3) == 0 ? "Gateway" : "HTTPRoute"))
                .OrderBy(_ => random.Next())
                .ToArray();
            var policy = new TenantPolicy { GatewayLimit = random.Next(4), RouteLimit = random.Next(5) };

            var beyond = RouteQuota.RoutesBeyond(policy, routes);
            routes
                .Where(r => !RouteQuota.IsWithin(r, policy, routes.Length, () => routes))
                .Select(r => r.Name)
                .Should()
                .BeEquivalentTo(beyond);
        }
    }

    [Fact]
    public void Only_created_deleted_or_changed_kind_affects_other_Routes()
    {
        var (route, same, other) = (Route("a", 1), Route("a", 1), Route("a", 1, "Gateway"));

        RouteQuota.IsAffectedBy(new Change<Route>(null, route)).Should().BeTrue();
        RouteQuota.IsAffectedBy(new Change<Route>(route, null)).Should().BeTrue();
        RouteQuota.IsAffectedBy(new Change<Route>(route, other)).Should().BeTrue();
        RouteQuota.IsAffectedBy(new Change<Route>(route, Route("a", 2))).Should().BeTrue("it was recreated");
        RouteQuota.IsAffectedBy(new Change<Route>(route, same)).Should().BeFalse();
    }

    private static IEnumerable<string> Within(TenantPolicy policy, Route[] routes) =>
        routes.Where(r => RouteQuota.IsWithin(r, policy, routes.Length, () => routes)).Select(r => r.Name);

    private static Route Route(string name, int age, string kind = "HTTPRoute", string apiVersion = "gateway.networking.k8s.io/v1") =>
        new()
        {
            Metadata = new()
            {
                Name = name,
                NamespaceProperty = "tenant-t",
                CreationTimestamp = DateTime.UnixEpoch.AddSeconds(age),
            },
            Spec = new RouteSpec
            {
                Source = new RouteSource
                {
                    Kubernetes = new KubernetesSource
                    {
                        Resource = new JsonObject
                        {
                            ["apiVersion"] = apiVersion,
                            ["kind"] = kind,
                            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "default" },
                        },
                    },
                },
            },
        };
}
