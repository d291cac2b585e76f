using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.EndToEnd;

/// <summary>Node addresses are the tenant's word; proxies of the management cluster do not go wherever it says.</summary>
public sealed class AddressTests : IAsyncLifetime
{
    private SystemFixture _bed = null!;
    private string _node = "";

    public async ValueTask InitializeAsync()
    {
        _bed = await SystemFixture.StartAsync();
        await _bed.ApplyBasicExampleAsync();
        _node = (await _bed.Management.GetAsync<Addresses>("tenant-t1", "default"))!.Spec!.Addresses!.Single().Ip!;

        // What it is to send from now on is this test's.
        await _bed.StopCcmAsync();
    }

    public async ValueTask DisposeAsync() => await _bed.DisposeAsync();

    [Fact]
    public async Task A_refused_address_is_told_with_its_reason_and_the_others_go_on()
    {
        await SendAsync(
            $$"""[{"ip":"{{_node}}"},{"ip":"169.254.169.254"},{"ip":"::ffff:127.0.0.1"},{"hostname":"kubernetes.default.svc"},{"ip":"10.7.0.1"}]"""
        );

        await WaitForEndpointsAsync(_node, "10.7.0.1");
        var condition = await WaitForConditionAsync("False");
        condition.Reason.Should().Be("AddressesRefused");
        condition
            .Message.Should()
            .StartWith("3 refused, 2 used.")
            .And.Contain("169.254.169.254: it is link-local")
            .And.Contain("write 127.0.0.1")
            .And.Contain("kubernetes.default.svc: names of the form *.svc");
        await Eventually.HoldsAsync(
            "an Event says so",
            async () =>
                (await _bed.Management.ListAsync<Corev1Event>("tenant-t1")).Any(e =>
                    e.InvolvedObject.Kind == "Addresses" && e.Message.Contains("169.254.169.254")
                )
        );

        await SendAsync($$"""[{"ip":"{{_node}}"}]""");
        await WaitForEndpointsAsync(_node);
        await WaitForConditionAsync("True");
        await _bed.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task Settings_of_config_and_tenant_apply_at_once_and_the_tenants_win()
    {
        await SendAsync("""[{"ip":"10.7.0.1"},{"ip":"10.8.0.1"}]""");
        await WaitForEndpointsAsync("10.7.0.1", "10.8.0.1");

        await _bed.Management.PatchAsync<Config>("kubelb", "default", """{"spec":{"addresses":{"deny":["10.0.0.0/8"]}}}""");
        await WaitForEndpointsAsync();
        (await WaitForConditionAsync("False")).Message.Should().Contain("spec.addresses.deny of the Config");

        await _bed.Management.PatchAsync<Tenant>("", "t1", """{"spec":{"addresses":{"allow":["10.8.0.0/16"]}}}""");
        await WaitForEndpointsAsync("10.8.0.1");
    }

    [Fact]
    public async Task Without_the_permission_of_the_config_loopback_is_refused()
    {
        await _bed.Management.PatchAsync<Config>("kubelb", "default", """{"spec":{"addresses":null}}""");

        await WaitForEndpointsAsync();
        (await WaitForConditionAsync("False")).Message.Should().Contain($"{_node}: it is loopback");
        await _bed.ExpectStatusAsync(await _bed.AddressAsync(), "api.example.com", 503);
    }

    [Fact]
    public async Task A_second_object_is_not_read_and_says_so()
    {
        await _bed.Management.CreateAsync(
            new Addresses
            {
                Metadata = { Name = "mine", NamespaceProperty = "tenant-t1" },
                Spec = new AddressesSpec { Addresses = [new EndpointAddress { Ip = "10.7.0.1" }] },
            }
        );

        await _bed.Management.WaitAsync<Addresses>("tenant-t1", "mine", a => Accepted(a)?.Reason == "NotUsed", "says that it is not used");
        await WaitForEndpointsAsync(_node);
    }

    [Theory]
    [InlineData("""{"spec":{"addresses":{"deny":["10.0.0.0/33"]}}}""")]
    [InlineData("""{"spec":{"addresses":{"deny":["10.0.0.256/8"]}}}""")]
    [InlineData("""{"spec":{"addresses":{"deny":["office"]}}}""")]
    [InlineData("""{"spec":{"addresses":{"allow":["10.0.0.1"]}}}""")]
    [InlineData("""{"spec":{"addresses":{"maximum":0}}}""")]
    public async Task A_setting_that_cannot_be_read_is_refused_when_it_is_written(string patch) =>
        await _bed.Invoking(b => b.Management.PatchAsync<Config>("kubelb", "default", patch))
            .Should()
            .ThrowAsync<k8s.Autorest.HttpOperationException>();

    private Task<Addresses> SendAsync(string addresses) =>
        _bed.Management.PatchAsync<Addresses>("tenant-t1", "default", $$"""{"spec":{"addresses":{{addresses}} } }""");

    private async Task<Condition> WaitForConditionAsync(string status)
    {
        var addresses = await _bed.Management.WaitAsync<Addresses>(
            "tenant-t1",
            "default",
            a => Accepted(a) is { } c && c.Status == status && c.ObservedGeneration == a.Metadata.Generation,
            $"is accepted: {status}"
        );
        return Accepted(addresses)!;
    }

    private Task<IReadOnlyList<string>> WaitForEndpointsAsync(params string[] expected) =>
        Eventually.GetAsync(
            "the proxies send to the right nodes",
            () => Task.FromResult(Endpoints()),
            found => found.SequenceEqual(expected),
            found => string.Join(", ", found)
        );

    private IReadOnlyList<string> Endpoints()
    {
        var resources = _bed.Sandbox.Manager.Host!.Services.GetRequiredService<ResourceCache>();
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
