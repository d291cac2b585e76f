using System.Net;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.Activity;

namespace KubeLB.Sandbox.Tests.Activity;

public sealed class ObjectStateTests
{
    private const string Address = "127.1.2.3";

    [Theory]
    [InlineData("", "")]
    [InlineData("Accepted=Unknown/Pending", "")]
    [InlineData("Accepted=True/Accepted Programmed=True/Programmed", "Gateway default/g programmed at 127.1.2.3")]
    [InlineData("Accepted=False/UnsupportedAddress", "Gateway default/g not served: UnsupportedAddress: about UnsupportedAddress")]
    [InlineData(
        "Accepted=True/ListenersNotValid Programmed=False/AddressNotAssigned",
        "Gateway default/g not served: AddressNotAssigned: about AddressNotAssigned"
    )]
    [InlineData(
        "Accepted=True/ListenersNotValid Programmed=True/Programmed",
        "Gateway default/g programmed at 127.1.2.3; ListenersNotValid: about ListenersNotValid"
    )]
    public void State_of_a_Gateway(string conditions, string expected)
    {
        var gateway = NewGateway();
        gateway.Status!.Conditions = Conditions(conditions);

        string.Join('\n', ObjectState.Of(gateway)).Should().Be(expected);
    }

    [Theory]
    [InlineData("Accepted=Unknown/Pending", "")]
    [InlineData(
        "Accepted=True/Accepted ResolvedRefs=True/ResolvedRefs",
        " accepted, served at http://127.1.2.3 (Host: a.example, b.example)"
    )]
    [InlineData("Accepted=False/NotAllowedByListeners", " not served: NotAllowedByListeners: about NotAllowedByListeners")]
    [InlineData(
        "Accepted=True/Accepted ResolvedRefs=False/BackendNotFound",
        " accepted, but at http://127.1.2.3 (Host: a.example, b.example): BackendNotFound: about BackendNotFound"
    )]
    [InlineData(
        "Accepted=True/Accepted ResolvedRefs=True/ResolvedRefs kubelb.k8c.io/BackendsReady=False/NoReadyEndpoints",
        " accepted, but at http://127.1.2.3 (Host: a.example, b.example): NoReadyEndpoints: about NoReadyEndpoints"
    )]
    [InlineData(
        "Accepted=True/Accepted RouteRulesOverlap=True/Overlap kubelb.k8c.io/RetryPolicyApplied=False/InvalidAnnotation",
        " accepted, served at http://127.1.2.3 (Host: a.example, b.example); Overlap: about Overlap; "
            + "InvalidAnnotation: about InvalidAnnotation"
    )]
    public void State_of_a_route(string conditions, string expected)
    {
        var lines = Lines(NewRoute(Parent("g", conditions)), NewGateway());

        string.Join('\n', lines).Should().Be(expected.Length == 0 ? "" : "HTTPRoute default/r" + expected);
    }

    [Fact]
    public void Route_with_several_parents_has_a_line_for_each()
    {
        var route = NewRoute(Parent("g", "Accepted=True/Accepted"), Parent("g", "Accepted=False/NoMatchingParent"));
        route.Status!.Parents[1].ParentRef.SectionName = "other";

        Lines(route, NewGateway())
            .Should()
            .Equal(
                "HTTPRoute default/r at Gateway g accepted, served at http://127.1.2.3 (Host: a.example, b.example)",
                "HTTPRoute default/r at Gateway g listener other not served: NoMatchingParent: about NoMatchingParent"
            );
    }

    [Fact]
    public void Address_has_scheme_and_port_of_the_listener()
    {
        var route = NewRoute(Parent("g", "Accepted=True/Accepted"));
        route.Spec!.Hostnames = null;
        route.Status!.Parents[0].ParentRef.SectionName = "https";

        Lines(route, NewGateway()).Should().Equal("HTTPRoute default/r accepted, served at https://127.1.2.3 (Host: *.example)");
        Lines(route, NewGateway(), port: 40001)
            .Should()
            .Equal("HTTPRoute default/r accepted, served at https://127.1.2.3:40001 (Host: *.example)");
    }

    [Fact]
    public void Messages_cannot_control_the_terminal()
    {
        var route = NewRoute(Parent("g", "Accepted=False/Invalid"));
        route.Status!.Parents[0].Conditions[0].Message = "a\n\u001b[31m" + new string('x', 400);

        Lines(route, NewGateway())
            .Single()
            .Should()
            .StartWith(@"HTTPRoute default/r not served: Invalid: a\n\u001b[31mxx")
            .And.EndWith("x…");
    }

    [Fact]
    public void Route_of_a_Gateway_without_address_has_no_state()
    {
        var gateway = NewGateway();
        gateway.Status!.Addresses = null;

        Lines(NewRoute(Parent("g", "Accepted=True/Accepted")), gateway).Should().BeEmpty();
    }

    private static IReadOnlyList<string> Lines(HttpRoute route, Gateway gateway, int? port = null) =>
        ObjectState.Of(
            route,
            key => key == new ResourceKey("default", "g") ? gateway : null,
            (address, _) => port is { } remapped ? new IPEndPoint(address, remapped) : null
        );

    private static Gateway NewGateway() =>
        new()
        {
            Metadata = new V1ObjectMeta { Name = "g", NamespaceProperty = "default" },
            Spec = new GatewaySpec
            {
                Listeners =
                [
                    new Listener
                    {
                        Name = "http",
                        Port = 80,
                        Protocol = "HTTP",
                    },
                    new Listener
                    {
                        Name = "https",
                        Port = 443,
                        Protocol = "HTTPS",
                        Hostname = "*.example",
                    },
                ],
            },
            Status = new GatewayStatus { Addresses = [new GatewayAddress { Value = Address }] },
        };

    private static HttpRoute NewRoute(params RouteParentStatus[] parents) =>
        new()
        {
            Metadata = new V1ObjectMeta { Name = "r", NamespaceProperty = "default" },
            Spec = new HttpRouteSpec { Hostnames = ["a.example", "b.example"] },
            Status = new RouteParentsStatus { Parents = [.. parents] },
        };

    private static RouteParentStatus Parent(string gateway, string conditions) =>
        new()
        {
            ParentRef = new ParentReference { Name = gateway },
            Conditions = Conditions(conditions),
        };

    // "Accepted=True/Accepted ResolvedRefs=False/BackendNotFound"
    private static List<Condition> Conditions(string text) =>
        [
            .. text.Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(part => (Type: part.Split('=')[0], Status: part.Split('=')[1].Split('/')))
                .Select(c => new Condition
                {
                    Type = c.Type,
                    Status = c.Status[0],
                    Reason = c.Status[1],
                    Message = $"about {c.Status[1]}",
                }),
        ];
}
