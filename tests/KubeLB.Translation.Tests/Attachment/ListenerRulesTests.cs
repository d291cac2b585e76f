using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Attachment;

namespace KubeLB.Translation.Tests.Attachment;

public sealed class ListenerRulesTests
{
    private static readonly Dictionary<string, string> TeamA = new() { ["team"] = "a" };

    [Theory]
    [InlineData("HTTP", true)]
    [InlineData("HTTPS", true)]
    [InlineData("TLS", false)]
    [InlineData("TCP", false)]
    [InlineData("UDP", false)]
    [InlineData("http", false)]
    [InlineData("example.com/own", false)]
    [InlineData("", false)]
    public void Routes_attach_to_HTTP_and_HTTPS_listeners(string protocol, bool expected)
    {
        ListenerRules.AllowsKind(new Listener { Protocol = protocol }, HttpRoute.KindName).Should().Be(expected);
        ListenerRules.AllowsKind(new Listener { Protocol = protocol }, GrpcRoute.KindName).Should().Be(expected);
    }

    [Theory]
    [InlineData("", "HTTPRoute", true)]
    [InlineData("HTTPRoute", "HTTPRoute", true)]
    [InlineData("HTTPRoute", "GRPCRoute", false)]
    [InlineData("GRPCRoute", "HTTPRoute", false)]
    [InlineData("GRPCRoute,HTTPRoute", "HTTPRoute", true)]
    [InlineData("gateway.networking.k8s.io/HTTPRoute", "HTTPRoute", true)]
    [InlineData("example.com/HTTPRoute", "HTTPRoute", false)]
    [InlineData("/HTTPRoute", "HTTPRoute", false)]
    public void Allowed_kinds_are_those_of_the_list_or_all(string kinds, string kind, bool expected)
    {
        var listener = new Listener
        {
            Protocol = "HTTP",
            AllowedRoutes = new AllowedRoutes { Kinds = [.. kinds.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(GroupKind)] },
        };

        ListenerRules.AllowsKind(listener, kind).Should().Be(expected);
    }

    [Theory]
    [InlineData(null, "infra", true)]
    [InlineData(null, "apps", false)]
    [InlineData("Same", "infra", true)]
    [InlineData("Same", "apps", false)]
    [InlineData("All", "infra", true)]
    [InlineData("All", "apps", true)]
    [InlineData("None", "infra", false)]
    [InlineData("None", "apps", false)]
    [InlineData("all", "infra", false)]
    [InlineData("Other", "infra", false)]
    public void Allowed_namespaces_depend_on_from(string? from, string routeNamespace, bool expected)
    {
        var listener = new Listener { AllowedRoutes = new AllowedRoutes { Namespaces = new RouteNamespaces { From = from } } };

        ListenerRules.AllowsNamespace(listener, "infra", routeNamespace, TeamA).Should().Be(expected);
    }

    [Theory]
    [InlineData("infra", true)]
    [InlineData("apps", false)]
    public void Listener_without_rules_allows_the_namespace_of_the_Gateway(string routeNamespace, bool expected)
    {
        ListenerRules.AllowsNamespace(new Listener(), "infra", routeNamespace, TeamA).Should().Be(expected);
        ListenerRules
            .AllowsNamespace(new Listener { AllowedRoutes = new AllowedRoutes() }, "infra", routeNamespace, TeamA)
            .Should()
            .Be(expected);
    }

    [Fact]
    public void Selector_matches_labels_of_the_namespace_of_the_route()
    {
        ListenerRules.AllowsNamespace(Selecting("a"), "infra", "apps", TeamA).Should().BeTrue();
        ListenerRules.AllowsNamespace(Selecting("b"), "infra", "apps", TeamA).Should().BeFalse();
        ListenerRules
            .AllowsNamespace(Selecting("b"), "infra", "infra", TeamA)
            .Should()
            .BeFalse("the gateway's own namespace is no exception");
    }

    [Fact]
    public void Unknown_namespace_is_not_selected() =>
        ListenerRules.AllowsNamespace(Selecting("a"), "infra", "apps", null).Should().BeFalse();

    [Fact]
    public void From_selector_without_a_selector_allows_nothing()
    {
        var listener = new Listener { AllowedRoutes = new AllowedRoutes { Namespaces = new RouteNamespaces { From = "Selector" } } };

        ListenerRules.AllowsNamespace(listener, "infra", "infra", TeamA).Should().BeFalse();
    }

    private static Listener Selecting(string team) =>
        new()
        {
            AllowedRoutes = new AllowedRoutes
            {
                Namespaces = new RouteNamespaces
                {
                    From = "Selector",
                    Selector = new V1LabelSelector { MatchLabels = new Dictionary<string, string> { ["team"] = team } },
                },
            },
        };

    private static RouteGroupKind GroupKind(string text) =>
        text.Split('/') is [var group, var kind] ? new RouteGroupKind { Group = group, Kind = kind } : new RouteGroupKind { Kind = text };
}
