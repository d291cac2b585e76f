using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Manager.Endpoints;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KubeLB.EndToEnd;

/// <summary>
/// A tenant that existed before a version keeps what the version's new defaults reject, with a warning; settings apply at once.
/// </summary>
public sealed class EarlierDefaultsTests : IAsyncLifetime
{
    private const string Ns = BareManagement.TenantNamespace;
    private BareManagement _bare = null!;
    private IHost _manager = null!;

    public async ValueTask InitializeAsync()
    {
        _bare = await BareManagement.StartAsync();
        await _bare.Objects.CreateAsync(new V1Node { Metadata = new V1ObjectMeta { Name = "management-1" } });
        await _bare.Objects.PatchStatusAsync<V1Node>(
            "",
            "management-1",
            new V1NodeStatus { Addresses = [new V1NodeAddress { Type = "InternalIP", Address = "10.7.0.1" }] }
        );
        _manager = await _bare.StartManagerAsync();
    }

    public async ValueTask DisposeAsync() => await _bare.DisposeAsync();

    [Fact]
    public async Task Older_tenant_keeps_what_current_defaults_reject_until_its_defaults_are_set()
    {
        await _bare.Objects.ApplyAsync($"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {Ns}\n");
        await _bare.Objects.ApplyAsync($"apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: kubelb-ccm\n  namespace: {Ns}\n");
        await _bare.AddTenantAsync(_manager);
        await CreateObjectsAsync();

        await ReportedAsync("the route is served with a warning", (c, problem) => c.IsTrue && problem?.Contains("nodePort 6443") == true);
        EndpointsAre("10.7.0.1", "10.8.0.1");
        await _bare.Objects.WaitAsync<Tenant>(
            "",
            "t1",
            t => DefaultsCurrent(t)?.Message.Contains(" reject 1 Route and 1 node address:") == true,
            "reports what will be rejected"
        );
        (await _bare.Objects.ListAsync<Corev1Event>("default"))
            .Should()
            .Contain(e => e.InvolvedObject.Kind == "Tenant" && e.Reason == RouteConditions.EarlierDefaults && e.Type == "Warning");

        await _bare.Objects.PatchAsync<Tenant>("", "t1", """{"spec":{"addresses":{"nodePorts":"30000-32767"}}}""");
        await ReportedAsync("a setting applies at once", (c, problem) => !c.IsTrue && problem is null);

        await _bare.Objects.PatchAsync<Tenant>("", "t1", """{"spec":{"addresses":null}}""");
        await ReportedAsync("it is served again", (c, problem) => c.IsTrue && problem is not null);

        await _bare.Objects.PatchAsync<Tenant>("", "t1", """{"metadata":{"annotations":{"kubelb.k8c.io/defaults":"0.1"}}}""");
        await ReportedAsync("the current default rejects it", (c, problem) => !c.IsTrue && problem is null);
        EndpointsAre("10.8.0.1");
        await _bare.Objects.WaitAsync<Tenant>("", "t1", t => DefaultsCurrent(t) is null, "has the current defaults");
    }

    [Fact]
    public async Task New_tenant_has_the_current_defaults()
    {
        // The namespace alone does not make it an older one.
        await _bare.Objects.ApplyAsync($"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {Ns}\n");
        await _bare.AddTenantAsync(_manager);
        await CreateObjectsAsync();

        await ReportedAsync("the route is rejected", (c, problem) => !c.IsTrue && problem is null);
        EndpointsAre("10.8.0.1");
        var tenant = (await _bare.Objects.GetAsync<Tenant>("", "t1"))!;
        tenant.Metadata.Annotations.Should().Contain(Annotations.Defaults, "0.1");
        DefaultsCurrent(tenant).Should().BeNull();
    }

    private async Task CreateObjectsAsync()
    {
        await _bare.SetAddressesAsync("10.7.0.1", "10.8.0.1");
        await _bare.Objects.CreateAsync(CcmRoutes.Gateway(Ns));
        var route = CcmRoutes.Http(Ns, "web");
        route.Change(k => k.Services![0].Spec!.Ports![0].NodePort = 6443);
        await _bare.Objects.CreateAsync(route);
    }

    private void EndpointsAre(params string[] expected) =>
        _manager.Services.GetRequiredService<TenantEndpoints>().EndpointsOf(Ns).Should().Equal(expected);

    private Task<Route> ReportedAsync(string what, Func<Condition, string?, bool> isExpected) =>
        _bare.Objects.WaitAsync<Route>(
            Ns,
            "web",
            route =>
                route.Status?.Resources?.Route?.Conditions is { } conditions
                && conditions.Find(c => c.Type == RouteConditions.ResourceAppliedSuccessfully) is { } applied
                && isExpected(applied, conditions.Find(c => c.Type == RouteConditions.DefaultExceeded)?.Message),
            what
        );

    private static Condition? DefaultsCurrent(Tenant tenant) =>
        tenant.Status?.Conditions?.Find(c => c.Type == TenantDefaultsConditions.DefaultsCurrent);
}
