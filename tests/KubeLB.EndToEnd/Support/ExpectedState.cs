using k8s;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd.Support;

/// <summary>
/// Compares an installation with the objects of its first tenant: Gateways of class <c>kubelb</c> and HTTPRoutes with one parent
/// and one backend in namespace <c>default</c>. The generated objects must match exactly, with the names of the contract.
/// </summary>
public static class ExpectedState
{
    private const string TenantNamespace = "tenant-t1";

    /// <summary>Waits until the installation is as described.</summary>
    public static Task ExpectAsync(SystemFixture fixture, string after) =>
        Eventually.GetAsync(
            $"the state is what the tenant's objects describe after {after}",
            () => DifferencesAsync(fixture),
            differences => differences.Count == 0,
            differences => string.Join("; ", differences)
        );

    private static async Task<IReadOnlyList<string>> DifferencesAsync(SystemFixture fixture)
    {
        var gateways = await fixture.Tenant.ListAsync<Gateway>("default");
        var services = (await fixture.Tenant.ListAsync<V1Service>("default"))
            .Where(s => s.Spec.Type != "NodePort")
            .Select(s => s.Name())
            .ToHashSet();
        var all = await fixture.Tenant.ListAsync<HttpRoute>("default");
        var attached = all.Where(r => gateways.Any(g => g.Name == r.Spec!.ParentRefs![0].Name)).ToList();
        var served = attached.Where(r => services.Contains(BackendOf(r))).ToList();
        var found = new List<string>();

        Compare(
            found,
            "Route",
            gateways.Select(g => g.Metadata.Uid).Concat(attached.Select(r => r.Metadata.Uid)),
            await NamesAsync<Route>(fixture.Management, TenantNamespace)
        );
        Compare(
            found,
            "generated Gateway",
            gateways.Select(g => $"default-{g.Name}"),
            await NamesAsync<Gateway>(fixture.Management, TenantNamespace)
        );
        Compare(
            found,
            "generated HTTPRoute",
            attached.Select(r => $"default-{r.Name}"),
            await NamesAsync<HttpRoute>(fixture.Management, TenantNamespace)
        );
        var generated = (await fixture.Management.ListAsync<V1Service>(TenantNamespace))
            .Where(s => s.Metadata.Labels?.ContainsKey(Labels.OriginName) == true)
            .ToList();
        Compare(found, "generated Service", served.Select(r => $"default-{r.Name}-{BackendOf(r)}"), generated.Select(s => s.Name()));
        Compare(
            found,
            "node-port Service",
            served.Select(r => $"{BackendOf(r)}-nodeport").Distinct(),
            (await fixture.Tenant.ListAsync<V1Service>("default")).Where(s => s.Spec.Type == "NodePort").Select(s => s.Name())
        );
        found.AddRange(
            generated
                .SelectMany(s => s.Spec.Ports)
                .GroupBy(p => p.TargetPort.Value)
                .Where(g => g.Count() > 1)
                .Select(g => $"port {g.Key} is allocated twice")
        );

        var hostnames = (await fixture.Management.ListAsync<HttpRoute>(TenantNamespace)).ToDictionary(
            r => r.Name,
            r => string.Join(',', r.Spec!.Hostnames ?? [])
        );
        found.AddRange(
            attached
                .Where(r => hostnames.GetValueOrDefault($"default-{r.Name}") != string.Join(',', r.Spec!.Hostnames ?? []))
                .Select(r => $"HTTPRoute {r.Name} is generated for {hostnames.GetValueOrDefault($"default-{r.Name}")}")
        );
        found.AddRange(gateways.Where(g => !Statuses.IsProgrammed(g)).Select(g => $"Gateway {g.Name} is not programmed"));
        found.AddRange(attached.Where(r => !Statuses.IsAccepted(r)).Select(r => $"HTTPRoute {r.Name} is not accepted"));
        found.AddRange(
            attached
                .Where(r => Statuses.IsResolved(r) != services.Contains(BackendOf(r)))
                .Select(r => $"HTTPRoute {r.Name} has a wrong ResolvedRefs")
        );
        found.AddRange(
            all.Except(attached)
                .Where(r => r.Status?.Parents is { Count: > 0 })
                .Select(r => $"HTTPRoute {r.Name} reports a parent that does not exist")
        );
        return found;
    }

    public static string BackendOf(HttpRoute route) => route.Spec!.Rules![0].BackendRefs![0].Name;

    private static async Task<IEnumerable<string>> NamesAsync<T>(TestCluster cluster, string @namespace)
        where T : class, IKubernetesObject<V1ObjectMeta> => (await cluster.ListAsync<T>(@namespace)).Select(o => o.Metadata.Name);

    private static void Compare(List<string> found, string what, IEnumerable<string> expected, IEnumerable<string> present)
    {
        var (wanted, there) = (expected.ToHashSet(), present.ToHashSet());
        found.AddRange(wanted.Except(there).Select(name => $"{what} {name} is missing"));
        found.AddRange(there.Except(wanted).Select(name => $"{what} {name} is left over"));
    }
}
