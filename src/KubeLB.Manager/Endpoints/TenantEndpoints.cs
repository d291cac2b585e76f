using System.Collections.Concurrent;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Endpoints;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Endpoints;

/// <summary>
/// The addresses that a tenant's proxies send to: those of its Addresses that Tenant and Config let through. Judged once for each state of
/// the three objects, not at each change of a route.
/// </summary>
internal sealed class TenantEndpoints([FromKeyedServices(ManagementCluster.Name)] Cluster management, ManagerOptions options)
{
    private readonly IInformer<Addresses> _addresses = management.Informer<Addresses>();
    private readonly IInformer<Tenant> _tenants = management.Informer<Tenant>();
    private readonly IInformer<Config> _configs = management.Informer<Config>();
    private readonly ConcurrentDictionary<string, Judged> _judged = new(StringComparer.Ordinal);

    /// <summary>The endpoints in the order of the tenant's list; empty if it has sent none.</summary>
    public IReadOnlyList<string> Of(string tenantNamespace) => Judge(tenantNamespace).Endpoints;

    /// <summary>What became of each address that the tenant sent.</summary>
    public IReadOnlyList<EndpointResult> VerdictsOf(string tenantNamespace) => Judge(tenantNamespace).Verdicts;

    private Judged Judge(string tenantNamespace)
    {
        if (_addresses.Get(tenantNamespace, Addresses.DefaultName) is not { } addresses)
        {
            _judged.TryRemove(tenantNamespace, out _);
            return Judged.None;
        }

        // Objects in the caches never change; a change puts another one in their place.
        var sources = (
            addresses.Spec,
            _tenants.HolderOf(tenantNamespace)?.Spec?.Addresses,
            _configs.Get(options.Namespace, Config.DefaultName)?.Spec?.Addresses
        );
        if (_judged.TryGetValue(tenantNamespace, out var known) && known.IsFrom(sources))
        {
            return known;
        }

        var verdicts = new AddressPolicy(sources.Item2, sources.Item3).Evaluate(sources.Spec?.Addresses);
        return _judged[tenantNamespace] = new Judged(sources, verdicts, [.. verdicts.Select(v => v.Endpoint).OfType<string>()]);
    }

    private sealed record Judged(
        (object? Addresses, object? Tenant, object? Config) Sources,
        IReadOnlyList<EndpointResult> Verdicts,
        IReadOnlyList<string> Endpoints
    )
    {
        public static Judged None { get; } = new(default, [], []);

        public bool IsFrom((object? Addresses, object? Tenant, object? Config) sources) =>
            ReferenceEquals(Sources.Addresses, sources.Addresses)
            && ReferenceEquals(Sources.Tenant, sources.Tenant)
            && ReferenceEquals(Sources.Config, sources.Config);
    }
}
