using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Matching;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Attachment;

/// <summary>Names and annotations that are almost right are reported with what was probably meant.</summary>
public sealed class MisspeltNameTests
{
    private static readonly TenantSettings Settings = new("tenant-t");

    [Theory]
    [InlineData("my-gatewy", "my-gateway")]
    [InlineData("my-gatewayy", "my-gateway")]
    [InlineData("my-gatewaz", "my-gateway")]
    [InlineData("my-gatweay", "my-gateway")]
    [InlineData("mygateway", "my-gateway")]
    [InlineData("My_Gateway", "my-gateway")]
    [InlineData("my-gateways", "my-gateway")]
    [InlineData("m", null)]
    [InlineData("", null)]
    [InlineData("my-gate", null)]
    [InlineData("your-gateway", null)]
    [InlineData("my-gateway", null)]
    [InlineData("dev-gateway", null)]
    [InlineData("s", null)]
    [InlineData("ies", null)]
    public void Name_with_one_mistake_is_recognized(string text, string? meant) =>
        Misspellings.Nearest(text, ["other", "my-gateway"]).Should().Be(meant);

    [Theory]
    [InlineData("my-gateway", null, null)]
    [InlineData("my-gatewy", null, "Gateway default/my-gatewy does not exist. Did you mean my-gateway?")]
    [InlineData(
        "shared",
        null,
        "Gateway default/shared does not exist. One of this name exists in namespace infra: set namespace of the parentRef."
    )]
    [InlineData("shared", "infra", null)]
    [InlineData("nothing", "infra", "Gateway infra/nothing does not exist. Create it, or correct the parentRef.")]
    public void Parent_that_does_not_exist_is_reported_with_the_one_that_was_meant(string name, string? @namespace, string? expected)
    {
        var view = new TenantStub();
        view.Gateways.Add(Gateway("default", "my-gateway", "kubelb"));
        view.Gateways.Add(Gateway("infra", "shared", "kubelb"));
        var route = new HttpRoute
        {
            Metadata = new V1ObjectMeta { Name = "web", NamespaceProperty = "default" },
            Spec = new HttpRouteSpec { ParentRefs = [new ParentReference { Name = name, Namespace = @namespace }] },
        };

        RouteAttachment.MissingParent(route, view)?.Message.Should().Be(expected);
        (RouteAttachment.MissingParent(route, view) is null).Should().Be(expected is null);
    }

    [Theory]
    [InlineData("kubelbb", "GatewayClass kubelbb does not exist, so no controller serves this Gateway. Did you mean kubelb?")]
    [InlineData("infra-b", "GatewayClass infra-b does not exist, so no controller serves this Gateway. Did you mean infra-a?")]
    [InlineData("eg", null)]
    public void Class_that_does_not_exist_is_reported_with_the_one_that_was_meant(string className, string? expected)
    {
        var view = new TenantStub();
        view.Classes.Add(
            new GatewayClass
            {
                Metadata = new V1ObjectMeta { Name = "infra-a" },
                Spec = new GatewayClassSpec { ControllerName = GatewayClass.KubelbController },
            }
        );

        var ownership = GatewayOwnership.Evaluate(Gateway("default", "gw", className), view, Settings);

        ownership.IsOwned.Should().BeFalse();
        ownership.Message.Should().Be(expected);
        ownership.Reason.Should().Be(expected is null ? null : GatewayOwnership.ClassUnknown);
    }

    [Theory]
    [InlineData("HTTPRoute", "gateway.envoyproxy.io/retry-on", null)]
    [InlineData(
        "HTTPRoute",
        "gateway.envoyproxy.io/retryon",
        "Annotation gateway.envoyproxy.io/retryon has no effect. Did you mean gateway.envoyproxy.io/retry-on?"
    )]
    [InlineData(
        "GRPCRoute",
        "gateway.envoyproxy.io/num_retries",
        "Annotation gateway.envoyproxy.io/num_retries has no effect. Did you mean gateway.envoyproxy.io/num-retries?"
    )]
    [InlineData(
        "HTTPRoute",
        "gateway.envoyproxy.io/num-retry",
        "Annotation gateway.envoyproxy.io/num-retry has no effect. Did you mean gateway.envoyproxy.io/num-retries?"
    )]
    [InlineData(
        "HTTPRoute",
        "gateway.envoyproxy.io/per-try-timeout",
        "Annotation gateway.envoyproxy.io/per-try-timeout has no effect. Did you mean gateway.envoyproxy.io/retry-per-try-timeout?"
    )]
    [InlineData(
        "HTTPRoute",
        "kubelb.k8c.io/retry-on",
        "Annotation kubelb.k8c.io/retry-on has no effect. Did you mean gateway.envoyproxy.io/retry-on?"
    )]
    [InlineData(
        "HTTPRoute",
        "gateway.envoyproxy.io/retry-budget",
        "Annotation gateway.envoyproxy.io/retry-budget has no effect. KubeLB does not support it: remove it."
    )]
    [InlineData(
        "HTTPRoute",
        "gateway.envoyproxy.io/num-replicas",
        "Annotation gateway.envoyproxy.io/num-replicas has no effect. KubeLB does not support it: remove it."
    )]
    [InlineData(
        "HTTPRoute",
        "gateway.envoyproxy.io/timeout",
        "Annotation gateway.envoyproxy.io/timeout has no effect. KubeLB does not support it: remove it."
    )]
    [InlineData("Gateway", "kubelb.k8c.io/foo", "Annotation kubelb.k8c.io/foo has no effect. KubeLB does not support it: remove it.")]
    [InlineData(
        "Gateway",
        "gateway.envoyproxy.io/num-retries",
        "Annotation gateway.envoyproxy.io/num-retries has no effect. Set it on the HTTPRoute or GRPCRoute."
    )]
    [InlineData("HTTPRoute", "example.com/retry-on", null)]
    [InlineData("HTTPRoute", "kubelb.k8c.io/applied", null)]
    public void Annotation_without_effect_is_reported(string kind, string key, string? expected) =>
        IgnoredAnnotations
            .MessageOf(kind, new V1ObjectMeta { Annotations = new Dictionary<string, string> { [key] = "5xx" } }, AnnotationRules.None)
            .Should()
            .Be(expected);

    private static Gateway Gateway(string @namespace, string name, string className) =>
        new()
        {
            Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = @namespace },
            Spec = new GatewaySpec { GatewayClassName = className },
        };
}
