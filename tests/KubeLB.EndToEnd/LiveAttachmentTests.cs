using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>Attachment is evaluated anew when what it depends on changes, and touches nothing that is not ours.</summary>
public sealed class LiveAttachmentTests
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
    public async Task A_namespace_that_gets_or_loses_the_label_lets_its_routes_in_or_out_at_once()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.Tenant.ApplyAsync(SelectingGateway);
        await bed.Tenant.ApplyAsync(InTeam(Documents.Backend));
        await bed.Tenant.ApplyAsync(InTeam(Documents.Deployment));
        await bed.Tenant.ApplyAsync(InTeam(Documents.Route).Replace("- name: my-gateway", "- name: my-gateway\n      namespace: default"));
        await RefusedAsync(bed);
        await bed.SettleAsync();
        var before = await bed.InventoryAsync();

        await bed.Tenant.PatchAsync<V1Namespace>("", "team", """{"metadata":{"labels":{"exposed":"true"}}}""");
        await bed.Tenant.WaitAsync<HttpRoute>("team", "api-route", Statuses.IsAccepted, "is let in");
        await bed.ExpectBackendAsync("api.example.com");

        await bed.Tenant.PatchAsync<V1Namespace>("", "team", """{"metadata":{"labels":{"stage":"attic"}}}""");
        await RefusedAsync(bed);
        await bed.WaitForInventoryAsync(before);
    }

    [Fact]
    public async Task Entries_of_other_controllers_stay_whatever_becomes_of_ours()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.Tenant.ApplyAsync(Documents.Gateway);
        await bed.Tenant.ApplyAsync(
            Documents.Gateway.Replace("my-gateway", "theirs").Replace("gatewayClassName: kubelb", "gatewayClassName: other")
        );
        await bed.Tenant.ApplyAsync(Documents.Backend);
        await bed.Tenant.ApplyAsync(Documents.Route.Replace("- name: my-gateway", "- name: theirs\n    - name: my-gateway"));
        await bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted");

        await bed.SettleAsync();
        var current = (await bed.Tenant.GetAsync<HttpRoute>("default", "api-route"))!;
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
        await bed.Tenant.PatchStatusAsync<HttpRoute>(
            "default",
            "api-route",
            new RouteParentsStatus { Parents = [theirs, .. current.Status!.Parents] }
        );

        // Accepted anew, refused, and no longer ours at all.
        await bed.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["other.example.com"]}}""");
        Theirs(await bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted anew"))
            .Should()
            .BeEquivalentTo(theirs);
        await bed.Tenant.PatchAsync<Gateway>(
            "default",
            "my-gateway",
            """{"spec":{"listeners":[{"name":"http","protocol":"HTTP","port":80,"hostname":"only.example.org"}]}}"""
        );
        var refused = await bed.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.Condition(r, "Accepted")?.Reason == "NoMatchingListenerHostname",
            "is refused"
        );
        Theirs(refused).Should().BeEquivalentTo(theirs);
        await bed.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"parentRefs":[{"name":"theirs"}]}}""");
        var released = await bed.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => r.Status!.Parents.TrueForAll(p => p.ControllerName == Foreign),
            "is released"
        );
        released.Status!.Parents.Should().ContainSingle().Which.Should().BeEquivalentTo(theirs);
    }

    [Fact]
    public async Task Listeners_of_protocols_that_are_not_carried_are_refused_and_the_others_serve()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();
        await bed.Tenant.PatchAsync<Gateway>(
            "default",
            "my-gateway",
            """
            {"spec":{"listeners":[
              {"name":"postgres","protocol":"TCP","port":5432},
              {"name":"http","protocol":"HTTP","port":80,"allowedRoutes":{"namespaces":{"from":"All"}}},
              {"name":"passthrough","protocol":"TLS","port":443,"tls":{"mode":"Passthrough"}}]}}
            """
        );

        var gateway = await bed.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => Statuses.IsProgrammed(g) && g.Status!.Listeners is { Count: 3 } listeners && listeners[1].AttachedRoutes == 1,
            "tells of all listeners"
        );
        Reason(gateway, "postgres", "Accepted").Should().Be("False UnsupportedProtocol");
        Reason(gateway, "postgres", "Programmed").Should().Be("False Invalid");
        Reason(gateway, "passthrough", "ResolvedRefs").Should().Be("False InvalidRouteKinds");
        Reason(gateway, "http", "Programmed").Should().Be("True Programmed");
        gateway
            .Status!.Listeners!.Where(l => l.Name != "http")
            .Should()
            .OnlyContain(l => l.SupportedKinds!.Count == 0 && l.AttachedRoutes == 0);
        (await bed.Management.GetAsync<Gateway>("tenant-t1", "default-my-gateway"))!
            .Spec!.Listeners.Should()
            .ContainSingle()
            .Which.Name.Should()
            .Be("http");
        await bed.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task A_gateway_without_any_listener_that_is_carried_is_refused_until_it_has_one()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.ApplyBasicExampleAsync();

        await bed.Tenant.PatchAsync<Gateway>(
            "default",
            "my-gateway",
            """{"spec":{"listeners":[{"name":"http","protocol":"TCP","port":80}]}}"""
        );
        var gateway = await bed.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => g.Status?.Conditions?.Any(c => c is { Type: "Accepted", Reason: "ListenersNotValid" }) == true,
            "is refused"
        );
        gateway.Status!.Conditions!.Should().OnlyContain(c => c.Status == "False");
        await bed.Management.WaitGoneAsync<Gateway>("tenant-t1", "default-my-gateway");

        await bed.Tenant.PatchAsync<Gateway>(
            "default",
            "my-gateway",
            """{"spec":{"listeners":[{"name":"http","protocol":"HTTP","port":80}]}}"""
        );
        await bed.Tenant.WaitAsync<HttpRoute>("default", "api-route", Statuses.IsAccepted, "is accepted again");
        await bed.ExpectBackendAsync("api.example.com");
    }

    private static string InTeam(string manifest) => manifest.Replace("namespace: default", "namespace: team");

    private static async Task RefusedAsync(SystemFixture bed)
    {
        var route = await bed.Tenant.WaitAsync<HttpRoute>(
            "team",
            "api-route",
            r => Statuses.Condition(r, "Accepted") is { Status: "False" },
            "is refused"
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
