using System.Collections.Concurrent;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Endpoints;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Endpoints;

/// <summary>
/// The node addresses to which a tenant's proxies send traffic: those in its Addresses that Tenant and Config allow. Cached per version of
/// the three objects and of the management cluster's own ranges.
/// </summary>
internal sealed class TenantEndpoints(
    [FromKeyedServices(ManagementCluster.Name)] Cluster management,
    ManagementRanges ranges,
    TenantSettingsResolver settings,
    ManagerOptions options
)
{
    private readonly IInformer<Addresses> _addresses = management.Informer<Addresses>();
    private readonly IInformer<Tenant> _tenants = management.Informer<Tenant>();
    private readonly IInformer<Config> _configs = management.Informer<Config>();
    private readonly ConcurrentDictionary<string, Evaluation> _evaluations = new(StringComparer.Ordinal);

    /// <summary>The endpoints in the order of the tenant's list; empty without Addresses.</summary>
    public IReadOnlyList<string> EndpointsOf(string tenantNamespace) => Evaluate(tenantNamespace).Endpoints;

    /// <summary>Whether each address of the tenant is allowed.</summary>
    public IReadOnlyList<EndpointResult> VerdictsOf(string tenantNamespace) => Evaluate(tenantNamespace).Verdicts;

    /// <summary>The number of endpoints that the next version will reject, because only earlier defaults permit them.</summary>
    public int CountUpcomingRejections(string tenantNamespace)
    {
        if (
            settings.PolicyOf(tenantNamespace).Upcoming is not { } upcoming
            || _addresses.Get(tenantNamespace, Addresses.DefaultName) is not { } addresses
        )
        {
            return 0;
        }

        var policy = new AddressPolicy(
            settings.TenantOf(tenantNamespace)?.Spec?.Addresses,
            _configs.Get(options.Namespace, Config.DefaultName)?.Spec?.Addresses,
            ranges.DeniedBy(upcoming)
        );
        var served = policy.Evaluate(addresses.Spec?.Addresses).Select(v => v.Endpoint).OfType<string>();
        return EndpointsOf(tenantNamespace).Except(served, StringComparer.Ordinal).Count();
    }

    private Evaluation Evaluate(string tenantNamespace)
    {
        if (_addresses.Get(tenantNamespace, Addresses.DefaultName) is not { } addresses)
        {
            _evaluations.TryRemove(tenantNamespace, out _);
            return Evaluation.None;
        }

        // Cached objects are immutable; a change replaces them.
        var sources = (
            addresses.Spec,
            _tenants.HolderOf(tenantNamespace)?.Spec?.Addresses,
            _configs.Get(options.Namespace, Config.DefaultName)?.Spec?.Addresses,
            ranges.DeniedBy(settings.PolicyOf(tenantNamespace))
        );
        if (_evaluations.TryGetValue(tenantNamespace, out var known) && known.IsFrom(sources))
        {
            return known;
        }

        var verdicts = new AddressPolicy(sources.Item2, sources.Item3, sources.Item4).Evaluate(sources.Spec?.Addresses);
        return _evaluations[tenantNamespace] = new Evaluation(sources, verdicts, [.. verdicts.Select(v => v.Endpoint).OfType<string>()]);
    }

    private sealed record Evaluation(
        (object? Addresses, object? Tenant, object? Config, AddressSet? Ranges) Sources,
        IReadOnlyList<EndpointResult> Verdicts,
        IReadOnlyList<string> Endpoints
    )
    {
        public static Evaluation None { get; } = new(default, [], []);

        public bool IsFrom((object? Addresses, object? Tenant, object? Config, AddressSet? Ranges) sources) =>
            ReferenceEquals(Sources.Addresses, sources.Addresses)
            && ReferenceEquals(Sources.Tenant, sources.Tenant)
            && ReferenceEquals(Sources.Config, sources.Config)
            && ReferenceEquals(Sources.Ranges, sources.Ranges);
    }
}
