using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>Attachment is evaluated again when its inputs change, and entries of other controllers are kept.</summary>
public sealed class AttachmentChangeTests
{
    private const string Foreign = "example.com/another-controller";

    private const string SelectingGateway = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata:
          name: my-gateway
          namespace: default
        spec:
          gatewayClassName: kubelb
          listeners:
            - name: http
              protocol: HTTP
              port: 80
              allowedRoutes:
                namespaces:
                  from: Selector
                  selector:
                    matchLabels:
                      exposed: "true"
                    matchExpressions:
                      - key: stage
                        operator: In
                        values: [test, production]
        ---
        apiVersion: v1
        kind: Namespace
        metadata:
          name: team
          labels:
            stage: test
        """;

    [Fact]
    public async Task Namespace_label_change_accepts_or_rejects_its_routes_at_once()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.Tenant.ApplyAsync(SelectingGateway);
        await fixture.Tenant.ApplyAsync(InTeam(Documents.Backend));
        await fixture.Tenant.ApplyAsync(InTeam(Documents.Deployment));
        await fixture.Tenant.ApplyAsync(
            InTeam(Documents.Route).Replace("- name: my-gateway", "- name: my-gateway\n      namespace: default")
        );
        await WaitForRejectionAsync(fixture);
        await fixture.SettleAsync();
        var before = await fixture.InventoryAsync();

        await fixture.Tenant.PatchAsync<V1Namespace>("", "team", """{"metadata":{"labels":{"exposed":"true"}}}""");
        await fixture.Tenant.WaitAsync<HttpRoute>("team", "api-route", Statuses.IsAccepted, "is accepted");
        await fixture.ExpectBackendAsync("api.example.com");

        await fixture.Tenant.PatchAsync<V1Namespace>("", "team", """{"metadata":{"labels":{"stage":"attic"}}}""");
        await WaitForRejectionAsync(fixture);
        await fixture.WaitForInventoryAsync(before);
    }

    [Fact]
    public async Task Parent_status_of_other_controllers_is_kept()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.Tenant.ApplyAsync(Documents.Gateway);
        await fixture.Tenant.ApplyAsync(
            Documents.Gateway.Replace("my-gateway", "theirs").Replace("gatewayClassName: kubelb", "gatewayClassName: other")
        );
        await fixture.Tenant.ApplyAsync(Documents.Backend);
        await fixture.Tenant.ApplyAsync(Documents.Route.Replace("- name: my-gateway", "- name: theirs\n    - name: my-gateway"));
        await fixture.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted");

        await fixture.SettleAsync();
        var current = (await fixture.Tenant.GetAsync<HttpRoute>("default", "api-route"))!;
        var theirs = new RouteParentStatus
        {
            ParentRef = new ParentReference
            {
                Group = ApiGroups.GatewayApi,
                Kind = Gateway.KindName,
                Name = "theirs",
            },
            ControllerName = Foreign,
            Conditions =
            [
                new Condition
                {
                    Type = "Accepted",
                    Status = "True",
                    Reason = "Accepted",
                    Message = "by them",
                    ObservedGeneration = 1,
                    LastTransitionTime = "2026-01-02T03:04:05Z",
                },
            ],
        };
        await fixture.Tenant.PatchStatusAsync<HttpRoute>(
            "default",
            "api-route",
            new RouteParentsStatus { Parents = [theirs, .. current.Status!.Parents] }
        );

        // Accepted again, rejected, and released.
        await fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["other.example.com"]}}""");
        Theirs(await fixture.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted again"))
            .Should()
            .BeEquivalentTo(theirs);
        await fixture.Tenant.PatchAsync<Gateway>(
            "default",
            "my-gateway",
            """{"spec":{"listeners":[{"name":"http","protocol":"HTTP","port":80,"hostname":"only.example.org"}]}}"""
        );
        var rejected = await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "Accepted")?.Reason == "NoMatchingListenerHostname",
            "is rejected"
        );
        Theirs(rejected).Should().BeEquivalentTo(theirs);
        await fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"parentRefs":[{"name":"theirs"}]}}""");
        var released = await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => r.Status!.Parents.TrueForAll(p => p.ControllerName == Foreign),
            "is released"
        );
        released.Status!.Parents.Should().ContainSingle().Which.Should().BeEquivalentTo(theirs);
    }

    [Fact]
    public async Task Listener_with_an_unsupported_protocol_is_rejected_and_others_are_served()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();
        await fixture.Tenant.PatchAsync<Gateway>(
            "default",
            "my-gateway",
            """
            {"spec":{"listeners":[
              {"name":"postgres","protocol":"TCP","port":5432},
              {"name":"http","protocol":"HTTP","port":80,"allowedRoutes":{"namespaces":{"from":"All"}}},
              {"name":"passthrough","protocol":"TLS","port":443,"tls":{"mode":"Passthrough"}}]}}
            """
        );

        var gateway = await fixture.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => Statuses.IsProgrammed(g) && g.Status!.Listeners is { Count: 3 } listeners && listeners[1].AttachedRoutes == 1,
            "reports all listeners"
        );
        Reason(gateway, "postgres", "Accepted").Should().Be("False UnsupportedProtocol");
        Reason(gateway, "postgres", "Programmed").Should().Be("False Invalid");
        Reason(gateway, "passthrough", "ResolvedRefs").Should().Be("False InvalidRouteKinds");
        Reason(gateway, "http", "Programmed").Should().Be("True Programmed");
        gateway
            .Status!.Listeners!.Where(l => l.Name != "http")
            .Should()
            .OnlyContain(l => l.SupportedKinds!.Count == 0 && l.AttachedRoutes == 0);
        (await fixture.Management.GetAsync<Gateway>("tenant-t1", "default-my-gateway"))!
            .Spec!.Listeners.Should()
            .ContainSingle()
            .Which.Name.Should()
            .Be("http");
        await fixture.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task Gateway_without_a_supported_listener_is_rejected_until_it_has_one()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.ApplyBasicExampleAsync();

        await fixture.Tenant.PatchAsync<Gateway>(
            "default",
            "my-gateway",
            """{"spec":{"listeners":[{"name":"http","protocol":"TCP","port":80}]}}"""
        );
        var gateway = await fixture.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => g.Status?.Conditions?.Any(c => c is { Type: "Accepted", Reason: "ListenersNotValid" }) == true,
            "is rejected"
        );
        gateway.Status!.Conditions!.Should().OnlyContain(c => c.Status == "False");
        await fixture.Management.WaitGoneAsync<Gateway>("tenant-t1", "default-my-gateway");

        await fixture.Tenant.PatchAsync<Gateway>(
            "default",
            "my-gateway",
            """{"spec":{"listeners":[{"name":"http","protocol":"HTTP","port":80}]}}"""
        );
        await fixture.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted again");
        await fixture.ExpectBackendAsync("api.example.com");
    }

    private static string InTeam(string manifest) => manifest.Replace("namespace: default", "namespace: team");

    private static async Task WaitForRejectionAsync(SystemFixture fixture)
    {
        var route = await fixture.Tenant.WaitAsync<HttpRoute>(
            "team",
            "api-route",
            r => Statuses.Condition(r, "Accepted") is { Status: "False" },
            "is rejected"
        );
        Statuses.Condition(route, "Accepted")!.Reason.Should().Be("NotAllowedByListeners");
    }

    private static RouteParentStatus Theirs(HttpRoute route) => route.Status!.Parents.Single(p => p.ControllerName == Foreign);

    private static string Reason(Gateway gateway, string listener, string type)
    {
        var condition = gateway.Status!.Listeners!.Single(l => l.Name == listener).Conditions!.Single(c => c.Type == type);
        return $"{condition.Status} {condition.Reason}";
    }
}
