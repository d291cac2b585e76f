using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>A tenant without a usable node reads it in its Gateways; before, everything was green and every request returned 503.</summary>
public sealed class NoAddressesTests : IAsyncLifetime
{
    private SystemFixture _fixture = null!;

    public async ValueTask InitializeAsync()
    {
        _fixture = await SystemFixture.StartAsync();
        await _fixture.ApplyBasicExampleAsync();
    }

    public async ValueTask DisposeAsync() => await _fixture.DisposeAsync();

    [Fact]
    public async Task Tenant_without_selected_node_reports_NoAddresses_and_recovers()
    {
        var node = (await _fixture.Tenant.ListAsync<V1Node>("")).Single().Metadata.Name;
        await _fixture.Tenant.PatchAsync<V1Node>("", node, Exclude("\"\""));

        await ProgrammedAsync(c =>
            c.Status == "False"
            && c.Reason == "NoAddresses"
            && c.Message.Contains("--node-address-type", StringComparison.Ordinal)
            && c.Message.Contains("requests return 503", StringComparison.Ordinal)
        );
        await _fixture.Management.WaitAsync<Addresses>(
            "tenant-t1",
            "default",
            a => a.Status?.Conditions?.Any(c => c is { Type: "Accepted", Status: "False", Reason: "NoAddresses" }) == true,
            "reports NoAddresses"
        );
        await EventAsync(_fixture.Tenant, "default", "Gateway", "Warning", "NoAddresses");
        await EventAsync(_fixture.Management, "default", "Tenant", "Warning", "NoAddresses");

        await _fixture.Tenant.PatchAsync<V1Node>("", node, Exclude("null"));

        await ProgrammedAsync(c => c.IsTrue);
        await EventAsync(_fixture.Tenant, "default", "Gateway", "Normal", "Programmed");
        await EventAsync(_fixture.Management, "default", "Tenant", "Normal", "Accepted");
        await _fixture.ExpectBackendAsync("api.example.com");
    }

    [Fact]
    public async Task Tenant_whose_addresses_are_all_rejected_reports_why()
    {
        await _fixture.Management.PatchAsync<Tenant>("", "t1", """{"spec":{"addresses":{"deny":["0.0.0.0/0"]}}}""");

        await ProgrammedAsync(c =>
            c is { Status: "False", Reason: "NoAddresses" }
            && c.Message.StartsWith(
                "The management cluster rejects the addresses of all nodes; requests return 503.",
                StringComparison.Ordinal
            )
            && c.Message.Contains("denied by spec.addresses.deny of the Tenant", StringComparison.Ordinal)
        );

        await _fixture.Management.PatchAsync<Tenant>("", "t1", """{"spec":{"addresses":null}}""");
        await ProgrammedAsync(c => c.IsTrue);
    }

    private static string Exclude(string value) =>
        """{"metadata":{"labels":{"node.kubernetes.io/exclude-from-external-load-balancers":VALUE}}}""".Replace("VALUE", value);

    private Task<Gateway> ProgrammedAsync(Func<Api.Condition, bool> isExpected) =>
        _fixture.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => g.Status?.Conditions?.Find(c => c.Type == "Programmed") is { } condition && isExpected(condition),
            "reports the nodes"
        );

    private static Task EventAsync(TestCluster cluster, string @namespace, string kind, string type, string reason) =>
        Eventually.HoldsAsync(
            async () =>
                (await cluster.ListAsync<Corev1Event>(@namespace)).Any(e =>
                    e.InvolvedObject.Kind == kind && e.Type == type && e.Reason == reason
                ),
            $"{kind} has a {type} Event {reason}"
        );
}
