using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Caching;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KubeLB.Manager.Settings;

/// <summary>
/// The sizes of all Routes. Counts them as they are read: a list is in memory as a whole before the first of its Routes can be compared
/// with the limits of its tenant, so what exceeds <see cref="MaxUnchecked"/> is dropped at once. Thread-safe.
/// </summary>
internal sealed class RouteSizes
{
    /// <summary>The bytes that the Routes of one tenant may have before the tenant's limits are evaluated, if its limit is lower.</summary>
    private const long MaxUnchecked = 64 * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Usage> _usages = new(StringComparer.Ordinal);

    /// <summary>Returns the limit for all Routes of a tenant's namespace in bytes.</summary>
    public Func<string, long> LimitOf { get; set; } = _ => 0;

    /// <summary>Counts a Route that was read from the API server, and drops its spec if there are too many bytes already.</summary>
    public Route Admit(Route route)
    {
        if (Set(ResourceKey.Of(route), RouteMemory.SizeOf(route)) > Math.Max(MaxUnchecked, 2 * LimitOf(route.Namespace)))
        {
            route.Spec?.Drop();
        }

        return route;
    }

    /// <summary>The size of all Routes of a tenant in bytes.</summary>
    public long TotalOf(string tenantNamespace)
    {
        lock (_gate)
        {
            return _usages.GetValueOrDefault(tenantNamespace)?.Total ?? 0;
        }
    }

    /// <summary>Sets the size of a Route; null if it was deleted.</summary>
    /// <returns>The size of all Routes of the tenant in bytes.</returns>
    public long Set(ResourceKey key, int? size)
    {
        lock (_gate)
        {
            if (!_usages.TryGetValue(key.Namespace, out var usage))
            {
                _usages[key.Namespace] = usage = new Usage();
            }

            usage.Total += (size ?? 0) - usage.Sizes.GetValueOrDefault(key.Name);
            if (size is { } bytes)
            {
                usage.Sizes[key.Name] = bytes;
            }
            else
            {
                usage.Sizes.Remove(key.Name);
            }

            if (usage.Sizes.Count == 0)
            {
                _usages.Remove(key.Namespace);
            }

            return usage.Total;
        }
    }

    private sealed class Usage
    {
        public Dictionary<string, int> Sizes { get; } = new(StringComparer.Ordinal);

        public long Total { get; set; }
    }
}

/// <summary>
/// Bounds the memory for the Routes of each tenant: drops the specs of those that exceed the tenant's limits
/// (<see cref="RouteSpecJson.Drop"/>) before anything is parsed. Without it, a tenant could fill the memory of the manager with Routes that
/// are rejected.
/// </summary>
internal sealed class RouteMemory : IHostedService, IDisposable
{
    private readonly IInformer<Route> _routes;
    private readonly TenantSettingsResolver _settings;
    private readonly RouteSizes _sizes;
    private readonly IDisposable _subscription;

    public RouteMemory([FromKeyedServices(ManagementCluster.Name)] Cluster management, TenantSettingsResolver settings, RouteSizes sizes)
    {
        _routes = management.Informer<Route>();
        _settings = settings;
        _sizes = sizes;
        _sizes.LimitOf = tenantNamespace => settings.PolicyOf(tenantNamespace).MaxTotalBytes;
        _subscription = _routes.Subscribe(OnChange);
    }

    /// <summary>The size of a Route in bytes, also after its content was dropped.</summary>
    public static int SizeOf(Route? route) => route?.Spec?.Size ?? 0;

    /// <summary>The size of all Routes of a tenant in bytes.</summary>
    public long TotalOf(string tenantNamespace) => _sizes.TotalOf(tenantNamespace);

    /// <summary>
    /// Names of the Routes that exceed the limit of one Route, or of all. Of the latter, the first one and all that are newer exceed it, so
    /// that the result does not depend on the order in which they are read.
    /// </summary>
    public static HashSet<string> RoutesBeyond(TenantPolicy policy, IReadOnlyList<Route> all)
    {
        var beyond = new HashSet<string>(StringComparer.Ordinal);
        var total = 0L;
        foreach (var route in all.OrderBy(RouteQuota.Created).ThenBy(r => r.Name, StringComparer.Ordinal))
        {
            var size = SizeOf(route);
            if (size <= policy.MaxRouteBytes)
            {
                total += size;
            }

            if (size > policy.MaxRouteBytes || total > policy.MaxTotalBytes)
            {
                beyond.Add(route.Name);
            }
        }

        return beyond;
    }

    /// <summary>Does nothing: every replica needs the subscription of the constructor before the first list.</summary>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Ends the subscription.</summary>
    public void Dispose() => _subscription.Dispose();

    private void OnChange(Change<Route> change)
    {
        var (tenantNamespace, policy) = (change.Key.Namespace, _settings.PolicyOf(change.Key.Namespace));
        if (SizeOf(change.New) > policy.MaxRouteBytes)
        {
            change.New!.Spec!.Drop();
        }

        if (_sizes.Set(change.Key, change.New is null ? null : SizeOf(change.New)) <= policy.MaxTotalBytes)
        {
            return;
        }

        var routes = _routes.ByIndex(Indexes.ByNamespace, tenantNamespace);
        var beyond = RoutesBeyond(policy, routes);
        foreach (var route in routes.Where(r => beyond.Contains(r.Name)))
        {
            route.Spec?.Drop();
        }
    }
}
