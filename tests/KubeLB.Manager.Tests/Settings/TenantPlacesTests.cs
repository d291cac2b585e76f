using System.Text.Json.Nodes;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Settings;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Tenants;

namespace KubeLB.Manager.Tests.Settings;

public sealed class TenantPlacesTests
{
    private readonly TenantPlaces _places;
    private TenantPolicy _policy = new() { GatewayLimit = 1, RouteLimit = 2 };

    public TenantPlacesTests() => _places = new TenantPlaces(_ => _policy);

    [Fact]
    public void Http_and_grpc_routes_share_the_places_and_gateways_have_their_own()
    {
        var (gateway, http, grpc, third) = (Route("g", 9, "Gateway"), Route("a", 1), Route("b", 2, "GRPCRoute"), Route("c", 3));
        Come(gateway, http, grpc, third).Should().BeEmpty();

        new[] { gateway, http, grpc, third }.Where(_places.Has).Should().Equal(gateway, http, grpc);
    }

    [Fact]
    public void Tenants_do_not_share_places()
    {
        var (own, others) = (Route("a", 1, "Gateway"), Route("a", 2, "Gateway", "tenant-other"));
        Come(own, others).Should().BeEmpty();

        _places.Has(own).Should().BeTrue();
        _places.Has(others).Should().BeTrue();
    }

    [Fact]
    public void What_is_no_gateway_or_route_of_gateway_api_needs_no_place_and_takes_none()
    {
        var routes = new[] { Route("a", 1, "Gateway", apiVersion: "example.com/v1"), Route("b", 1, "Ingress"), new Route { Metadata = new() { Name = "c", NamespaceProperty = "tenant-t" } } };
        Come(routes);
        var gateway = Route("z", 5, "Gateway");
        Come(gateway);

        routes.Append(gateway).Should().OnlyContain(r => _places.Has(r));
    }

    [Fact]
    public void One_that_goes_or_becomes_another_kind_makes_room_for_the_next()
    {
        var (first, second, third) = (Route("a", 1, "Gateway"), Route("b", 2, "Gateway"), Route("c", 3, "Gateway"));
        Come(first, second, third);

        _places.Follow(new Change<Route>(first, Route("a", 1))).Should().Equal(ResourceKey.Of(second));
        _places.Has(second).Should().BeTrue();
        _places.Follow(new Change<Route>(second, null)).Should().Equal(ResourceKey.Of(third));
        _places.Has(third).Should().BeTrue();
    }

    [Fact]
    public void A_new_status_turns_nothing()
    {
        var (first, second) = (Route("a", 1, "Gateway"), Route("b", 2, "Gateway"));
        Come(first, second);

        _places.Follow(new Change<Route>(first, Route("a", 1, "Gateway"))).Should().BeEmpty();
        _places.Has(second).Should().BeFalse();
    }

    [Fact]
    public void Limits_that_change_tell_whose_verdict_turns_and_hold_for_those_that_come_later()
    {
        var (first, second, gateway) = (Route("a", 1), Route("b", 2), Route("g", 1, "Gateway"));
        Come(first, second, gateway);

        _policy = new TenantPolicy { GatewayLimit = 0, RouteLimit = 1 };
        _places.SetLimits("tenant-t", _policy).Should().BeEquivalentTo([ResourceKey.Of(gateway), ResourceKey.Of(second)]);
        _places.SetLimits("tenant-nobody", _policy).Should().BeEmpty();
        Come(Route("c", 3));

        _places.Has(first).Should().BeTrue();
        _places.Has(second).Should().BeFalse();
        _places.SetLimits("tenant-t", TenantPolicy.Default).Should().HaveCount(3);
    }

    [Fact]
    public void Nothing_is_remembered_of_tenants_without_routes()
    {
        var route = Route("a", 1);
        Come(route);
        _places.Namespaces.Should().Equal("tenant-t");

        _places.Follow(new Change<Route>(route, null));

        _places.Namespaces.Should().BeEmpty();
    }

    private IEnumerable<ResourceKey> Come(params Route[] routes) => [.. routes.SelectMany(r => _places.Follow(new Change<Route>(null, r)))];

    private static Route Route(string name, int age, string kind = "HTTPRoute", string @namespace = "tenant-t", string apiVersion = "gateway.networking.k8s.io/v1") => new()
    {
        Metadata = new() { Name = name, NamespaceProperty = @namespace, CreationTimestamp = DateTime.UnixEpoch.AddSeconds(age) },
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
