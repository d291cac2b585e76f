using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Attachment;

/// <summary>Which parentRefs a generated route has. Written as <c>sectionName:port</c>.</summary>
public sealed class ParentPinningTests
{
    private const string None = "-";

    [Theory]
    [InlineData("one/8081/one.example two/8081/two.example any/8082/-", ":8081 :8082", "one.example", "one:", "any:")]
    [InlineData("one/8081/- two/8082/-", ":8081 :8082", "", "one:", "two:")]
    [InlineData("one/8081/- two/8082/-", ": :8082", "", "one: two:", "two:")]
    [InlineData("one/8081/- two/8082/-", "one: :", "", "one:", "one: two:")]
    [InlineData("one/8081/- two/8082/-", "one: two:8082", "", "one:", "two:")]
    [InlineData("one/8081/- two/8082/-", "one: one:8081", "", "one:", "one:")]
    [InlineData("one/8081/- two/8082/-", "one: two:", "", "one:", "two:")]
    [InlineData("one/8081/- two/8082/-", "one:8081 two:8082", "", "one:8081", "two:8082")]
    public void Several_parentRefs_to_one_Gateway_name_listeners(
        string listeners,
        string parentRefs,
        string hostnames,
        string first,
        string second
    ) => Evaluate(listeners, parentRefs, hostnames).Should().Equal(first, second);

    [Theory]
    [InlineData(":", ":")]
    [InlineData(": :", ":")]
    [InlineData("one: one: one:", "one:")]
    public void Equal_parentRefs_have_one_result(string parentRefs, string expected) =>
        Evaluate("one/80/- two/81/-", parentRefs, "").Should().Equal(expected);

    [Theory]
    [InlineData("foo/80/*.foo.example all/80/-", "x.foo.example", "foo:")]
    [InlineData("foo/80/*.foo.example all/80/-", "*.foo.example", "foo:")]
    [InlineData("x/80/x.foo.example foo/80/*.foo.example all/80/-", "x.foo.example", "x:")]
    [InlineData("x/80/x.foo.example foo/80/*.foo.example all/80/-", "*.foo.example", "x: foo:")]
    [InlineData("x/80/x.foo.example foo/80/*.foo.example all/80/-", "*.bar.example", "all:")]
    [InlineData("foo/80/*.foo.example bar/80/*.bar.example all/80/-", "x.foo.example x.bar.example", "foo: bar:")]
    [InlineData("foo/80/*.foo.example all/80/-", "x.foo.example x.bar.example", ":")]
    [InlineData("foo/80/*.foo.example all/80/-", "", ":")]
    [InlineData("foo/80/*.foo.example all/81/-", "x.foo.example", ":")]
    [InlineData("foo/80/*.foo.example/HTTPS all/80/-/HTTPS", "x.foo.example", ":")]
    // Listeners that conflict are not served.
    [InlineData("x/80/foo.example y/80/foo.example all/80/-", "foo.example", ":")]
    public void Route_attaches_to_the_most_specific_listeners_of_a_port(string listeners, string hostnames, string expected) =>
        Evaluate(listeners, ":", hostnames).Should().Equal(expected);

    [Fact]
    public void ParentRef_to_a_less_specific_listener_has_the_status_of_the_more_specific_one() =>
        Evaluate("foo/80/*.foo.example all/80/-", "all: foo:", "x.foo.example").Should().Equal("foo:", "foo:");

    [Fact]
    public void ParentRefs_to_several_Gateways_are_independent()
    {
        var tenant = new TenantStub();
        tenant.Gateways.Add(Gateway("a", "one/80/- two/81/-"));
        tenant.Gateways.Add(Gateway("b", "one/80/- two/81/-"));
        var route = Route("", new ParentReference { Name = "a" }, new ParentReference { Name = "b", SectionName = "two" });

        RouteAttachment
            .Evaluate(route, tenant, new TenantSettings("tenant-t"))
            .SelectMany(p => p.AttachedRefs)
            .Select(r => (r.Name, r.SectionName))
            .Should()
            .Equal(("a", null), ("b", "two"));
    }

    private static IEnumerable<string> Evaluate(string listeners, string parentRefs, string hostnames)
    {
        var tenant = new TenantStub();
        tenant.Gateways.Add(Gateway("gw", listeners));
        var parents = parentRefs
            .Split(' ')
            .Select(p => p.Split(':'))
            .Select(p => new ParentReference
            {
                Name = "gw",
                SectionName = p[0].Length == 0 ? null : p[0],
                Port = p[1].Length == 0 ? null : int.Parse(p[1]),
            });
        return RouteAttachment
            .Evaluate(Route(hostnames, [.. parents]), tenant, new TenantSettings("tenant-t"))
            .Select(p => string.Join(' ', p.AttachedRefs.Select(r => $"{r.SectionName}:{r.Port}")));
    }

    private static HttpRoute Route(string hostnames, params ParentReference[] parents) =>
        new()
        {
            Metadata = new V1ObjectMeta { Name = "web", NamespaceProperty = "apps" },
            Spec = new HttpRouteSpec
            {
                Hostnames = [.. hostnames.Split(' ', StringSplitOptions.RemoveEmptyEntries)],
                ParentRefs = [.. parents],
            },
        };

    private static Gateway Gateway(string name, string listeners) =>
        new()
        {
            Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "apps" },
            Spec = new GatewaySpec
            {
                GatewayClassName = "kubelb",
                Listeners =
                [
                    .. listeners
                        .Split(' ')
                        .Select(l => l.Split('/'))
                        .Select(l => new Listener
                        {
                            Name = l[0],
                            Port = int.Parse(l[1]),
                            Hostname = l[2] == None ? null : l[2],
                            Protocol = l.Length > 3 ? l[3] : "HTTP",
                        }),
                ],
            },
        };
}
