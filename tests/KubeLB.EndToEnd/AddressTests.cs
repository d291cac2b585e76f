using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.DependencyInjection;
using Listener = KubeLB.Api.GatewayApi.Listener;

namespace KubeLB.EndToEnd;

/// <summary>Node addresses come from the tenant; proxies use only those that the settings allow.</summary>
public sealed class AddressTests : IAsyncLifetime
{
    private SystemFixture _fixture = null!;
    private string _node = "";

    public async ValueTask InitializeAsync()
    {
        _fixture = await SystemFixture.StartAsync();
        await _fixture.ApplyBasicExampleAsync();
        _node = (await _fixture.Management.GetAsync<Addresses>("tenant-t1", "default"))!.Spec!.Addresses!.Single().Ip!;

        // From here on the test writes the Addresses, not the CCM.
        await _fixture.StopCcmAsync();
    }

    public async ValueTask DisposeAsync() => await _fixture.DisposeAsync();

    [Fact]
    [Trait("Threat", "invalid-address")]
    public async Task Rejected_address_is_reported_with_its_reason_and_others_are_used()
    {
        await SendAsync(
            $$"""[{"ip":"{{_node}}"},{"ip":"169.254.169.254"},{"ip":"::ffff:127.0.0.1"},{"hostname":"kubernetes.default.svc"}"""
                + """,{"ip":"10.7.0.1"}]"""
        );

        await WaitForEndpointsAsync(_node, "10.7.0.1");
        var condition = await WaitForConditionAsync("False");
        condition.Reason.Should().Be("AddressesRejected");
        condition
            .Message.Should()
            .StartWith("3 rejected, 2 used.")
            .And.Contain("169.254.169.254: this is a link-local address")
            .And.Contain("use 127.0.0.1")
            .And.Contain("kubernetes.default.svc: names of the form *.svc");
        await Eventually.HoldsAsync(
            async () =>
                (await _fixture.Management.ListAsync<Corev1Event>("tenant-t1")).Any(e =>
                    e.InvolvedObject.Kind == "Addresses" && e.Message.Contains("169.254.169.254")
                ),
            "an Event reports the rejected address"
        );

        await SendAsync($$"""[{"ip":"{{_node}}"}]""");
        await WaitForEndpointsAsync(_node);
        await WaitForConditionAsync("True");
        await _fixture.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    [Trait("Threat", "other-ranges")]
    public async Task Tenant_address_settings_override_the_Config_and_apply_at_once()
    {
        await SendAsync("""[{"ip":"10.7.0.1"},{"ip":"10.8.0.1"}]""");
        await WaitForEndpointsAsync("10.7.0.1", "10.8.0.1");

        await _fixture.Management.PatchAsync<Config>("kubelb", "default", """{"spec":{"addresses":{"deny":["10.0.0.0/8"]}}}""");
        await WaitForEndpointsAsync();
        (await WaitForConditionAsync("False")).Message.Should().Contain("spec.addresses.deny of the Config");

        await _fixture.Management.PatchAsync<Tenant>("", "t1", """{"spec":{"addresses":{"allow":["10.8.0.0/16"]}}}""");
        await WaitForEndpointsAsync("10.8.0.1");
    }

    [Fact]
    public async Task Loopback_address_without_permission_in_the_Config_is_rejected()
    {
        await _fixture.Management.PatchAsync<Config>("kubelb", "default", """{"spec":{"addresses":null}}""");

        await WaitForEndpointsAsync();
        (await WaitForConditionAsync("False")).Message.Should().Contain($"{_node}: this is a loopback address");
        await _fixture.ExpectStatusAsync(await _fixture.AddressAsync(), "api.example.com", 503);
    }

    [Fact]
    [Trait("Threat", "invalid-address")]
    public async Task Second_Addresses_object_is_ignored_and_reports_NotUsed()
    {
        await _fixture.Management.CreateAsync(
            new Addresses
            {
                Metadata = { Name = "mine", NamespaceProperty = "tenant-t1" },
                Spec = new AddressesSpec { Addresses = [new EndpointAddress { Ip = "10.7.0.1" }] },
            }
        );

        await _fixture.Management.WaitAsync<Addresses>("tenant-t1", "mine", a => Accepted(a)?.Reason == "NotUsed", "reports NotUsed");
        await WaitForEndpointsAsync(_node);
    }

    [Fact]
    [Trait("Threat", "management-addresses")]
    public async Task Addresses_of_the_management_cluster_are_rejected_until_they_are_allowed()
    {
        var service = (await _fixture.Management.GetAsync<V1Service>("default", "kubernetes"))!.Spec.ClusterIP;
        await SendAsync($$"""[{"ip":"10.7.0.1"},{"ip":"10.8.0.1"},{"ip":"10.9.0.1"},{"ip":"{{service}}"}]""");
        await WaitForEndpointsAsync("10.7.0.1", "10.8.0.1", "10.9.0.1");

        // A node that joins the management cluster while it is in use as a tenant's.
        await _fixture.Management.CreateAsync(
            new V1Node
            {
                Metadata = new V1ObjectMeta { Name = "management-1" },
                Spec = new V1NodeSpec { PodCIDR = "10.9.0.0/24", PodCIDRs = ["10.9.0.0/24"] },
            }
        );
        await _fixture.Management.PatchStatusAsync<V1Node>(
            "",
            "management-1",
            new V1NodeStatus { Addresses = [new V1NodeAddress { Type = "InternalIP", Address = "10.7.0.1" }] }
        );
        await WaitForEndpointsAsync("10.8.0.1");

        // Another controller writes the status, which was False before because of the Service.
        await _fixture.Management.WaitAsync<Addresses>(
            "tenant-t1",
            "default",
            a =>
                Accepted(a) is { Status: "False", Message: var message }
                && message.StartsWith(
                    "3 rejected, 1 used. 10.7.0.1: this is an address of the management cluster",
                    StringComparison.Ordinal
                )
                && message.Contains($"{service}: this is an address of the management cluster", StringComparison.Ordinal),
            "reports the address of the Node, its pods and the Service"
        );

        await _fixture.Management.PatchAsync<Tenant>("", "t1", """{"spec":{"addresses":{"allow":["10.9.0.0/16"]}}}""");
        await WaitForEndpointsAsync("10.8.0.1", "10.9.0.1");

        await _fixture.Management.DeleteAsync<V1Node>("", "management-1");
        await WaitForEndpointsAsync("10.7.0.1", "10.8.0.1", "10.9.0.1");
    }

    [Fact]
    [Trait("Threat", "management-addresses")]
    public async Task Address_of_a_Gateway_is_rejected()
    {
        await SendAsync("""[{"ip":"198.51.100.7"},{"ip":"10.7.0.1"}]""");
        await WaitForEndpointsAsync("198.51.100.7", "10.7.0.1");

        // Of a class that no controller of this cluster serves, so that the status stays.
        await _fixture.Management.CreateAsync(
            new Gateway
            {
                Metadata =
                {
                    Name = "of-another-tenant",
                    NamespaceProperty = "default",
                    Labels = new Dictionary<string, string> { [Labels.ManagedBy] = Labels.ManagedByKubelb },
                },
                Spec = new GatewaySpec
                {
                    GatewayClassName = "other",
                    Listeners =
                    [
                        new Listener
                        {
                            Name = "http",
                            Port = 80,
                            Protocol = "HTTP",
                        },
                    ],
                },
            }
        );
        await _fixture.Management.PatchStatusAsync<Gateway>(
            "default",
            "of-another-tenant",
            new GatewayStatus { Addresses = [new GatewayAddress { Type = "IPAddress", Value = "198.51.100.7" }] }
        );

        await WaitForEndpointsAsync("10.7.0.1");
    }

    [Fact]
    [Trait("Threat", "management-addresses")]
    public async Task Config_reports_ranges_that_the_API_server_does_not_tell()
    {
        await WaitForRangesAsync("True", "RangesKnown");

        await _fixture.Management.CreateAsync(new V1Node { Metadata = new V1ObjectMeta { Name = "management-1" } });
        (await WaitForRangesAsync("False", "RangesUnknown"))
            .Message.Should()
            .StartWith("Not determined: pods (not every Node has spec.podCIDRs)");

        await _fixture.Management.PatchAsync<Config>("kubelb", "default", """{"spec":{"addresses":{"deny":["10.244.0.0/16"]}}}""");
        await WaitForRangesAsync("True", "RangesDeclared");
    }

    [Fact]
    [Trait("Threat", "other-tenants-nodes")]
    public async Task Address_that_two_tenants_list_is_reported_on_both_Tenants_only()
    {
        await _fixture.Management.CreateAsync(new Tenant { Metadata = { Name = "t2" } });
        await _fixture.Management.WaitAsync<V1Namespace>("", "tenant-t2", _ => true, "exists");
        await _fixture.Management.CreateAsync(
            new Addresses
            {
                Metadata = { Name = "default", NamespaceProperty = "tenant-t2" },
                Spec = new AddressesSpec { Addresses = [new EndpointAddress { Ip = "10.7.0.1" }, new EndpointAddress { Ip = _node }] },
            }
        );

        foreach (var (tenant, other) in new[] { ("t1", "t2"), ("t2", "t1") })
        {
            await Eventually.HoldsAsync(
                async () =>
                    (await _fixture.Management.ListAsync<Corev1Event>("default")).Any(e =>
                        e.InvolvedObject.Kind == "Tenant"
                        && e.InvolvedObject.Name == tenant
                        && e.Reason == "AddressesOverlap"
                        && e.Message.StartsWith($"Node address {_node} is also listed by Tenant {other}.", StringComparison.Ordinal)
                    ),
                $"an Event on Tenant {tenant} names {other}"
            );
        }

        var ofOther = await _fixture.Management.WaitAsync<Addresses>("tenant-t2", "default", a => Accepted(a) is not null, "has a status");
        ofOther.Status!.Conditions.Should().OnlyContain(c => !c.Message.Contains("t1", StringComparison.Ordinal));
        await WaitForEndpointsAsync(_node);
    }

    [Fact]
    [Trait("Threat", "invalid-address")]
    public async Task Addresses_in_a_Route_are_ignored()
    {
        foreach (var route in await _fixture.Management.ListAsync<Route>("tenant-t1"))
        {
            await _fixture.Management.PatchAsync<Route>(
                "tenant-t1",
                route.Name,
                """{"spec":{"endpoints":[{"name":"default","addresses":[{"ip":"169.254.169.254"},{"ip":"10.9.0.1"}]}]}}"""
            );
        }

        await SendAsync($$"""[{"ip":"{{_node}}"},{"ip":"10.7.0.1"}]""");

        await WaitForEndpointsAsync(_node, "10.7.0.1");
    }

    [Theory]
    [InlineData("""{"spec":{"addresses":{"deny":["10.0.0.0/33"]}}}""")]
    [InlineData("""{"spec":{"addresses":{"ranges":["10.0.0.1"]}}}""")]
    [InlineData("""{"spec":{"addresses":{"deny":["10.0.0.256/8"]}}}""")]
    [InlineData("""{"spec":{"addresses":{"deny":["office"]}}}""")]
    [InlineData("""{"spec":{"addresses":{"allow":["10.0.0.1"]}}}""")]
    [InlineData("""{"spec":{"addresses":{"maximum":0}}}""")]
    public async Task Invalid_address_setting_is_rejected_on_write(string patch) =>
        await _fixture
            .Invoking(b => b.Management.PatchAsync<Config>("kubelb", "default", patch))
            .Should()
            .ThrowAsync<k8s.Autorest.HttpOperationException>();

    private Task<Addresses> SendAsync(string addresses) =>
        _fixture.Management.PatchAsync<Addresses>("tenant-t1", "default", $$"""{"spec":{"addresses":{{addresses}} } }""");

    private async Task<Condition> WaitForConditionAsync(string status)
    {
        var addresses = await _fixture.Management.WaitAsync<Addresses>(
            "tenant-t1",
            "default",
            a => Accepted(a) is { } c && c.Status == status && c.ObservedGeneration == a.Metadata.Generation,
            $"is accepted: {status}"
        );
        return Accepted(addresses)!;
    }

    private async Task<Condition> WaitForRangesAsync(string status, string reason)
    {
        static Condition? Ranges(Config config) => config.Status?.Conditions?.FirstOrDefault(c => c.Type == "ManagementRangesKnown");
        return Ranges(
            await _fixture.Management.WaitAsync<Config>(
                "kubelb",
                "default",
                c => Ranges(c) is { } condition && (condition.Status, condition.Reason) == (status, reason),
                $"reports {reason}"
            )
        )!;
    }

    private Task<IReadOnlyList<string>> WaitForEndpointsAsync(params string[] expected) =>
        Eventually.GetAsync(
            "the proxies have the expected endpoints",
            () => Task.FromResult(Endpoints()),
            found => found.SequenceEqual(expected),
            found => string.Join(", ", found)
        );

    private IReadOnlyList<string> Endpoints()
    {
        var resources = _fixture.Sandbox.Manager.Host!.Services.GetRequiredService<ResourceCache>();
        var assigned = resources.List("tenant-t1", ResourceTypes.ClusterLoadAssignment).Select(r => r.Body.Unpack<ClusterLoadAssignment>());
        var resolved = resources
            .List("tenant-t1", ResourceTypes.Cluster)
            .Select(r => r.Body.Unpack<Cluster>().LoadAssignment)
            .OfType<ClusterLoadAssignment>();
        return
        [
            .. assigned
                .Concat(resolved)
                .SelectMany(a => a.Endpoints)
                .SelectMany(l => l.LbEndpoints)
                .Select(e => e.Endpoint.Address.SocketAddress.Address),
        ];
    }

    private static Condition? Accepted(Addresses addresses) => addresses.Status?.Conditions?.FirstOrDefault(c => c.Type == "Accepted");
}
