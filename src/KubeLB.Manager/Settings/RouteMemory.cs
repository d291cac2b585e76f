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
/// Drops the specs of Routes while they are read, because indexes parse what is stored: those that exceed the limit of one Route, and those
/// of a list that together exceed <see cref="MaxInList"/>, before <see cref="RouteMemory"/> can compare them. Thread-safe.
/// </summary>
internal sealed class RouteAdmission
{
    /// <summary>The bytes of one tenant's Routes that are read before the first of them is compared with the tenant's limits.</summary>
    private const long MaxInList = 16 * 1024 * 1024;

    private static readonly TimeSpan SettingsTimeout = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _pending = new(StringComparer.Ordinal);
    private RouteMemory? _memory;
    private Task _settings = Task.CompletedTask;

    /// <summary>Sets what evaluates the limits, once it exists.</summary>
    /// <param name="memory">Evaluates the limits.</param>
    /// <param name="settings">Completes when Config and Tenants have been read: without them, the defaults would drop too much.</param>
    public void Start(RouteMemory memory, Task settings) => (_memory, _settings) = (memory, settings);

    /// <summary>Drops the spec of a Route that was read from the API server if it exceeds a limit.</summary>
    public Route Admit(Route route)
    {
        // Only the loop of this informer waits. After the time limit, the defaults apply.
        if (!_settings.IsCompleted)
        {
            Task.WaitAny([_settings], SettingsTimeout);
        }

        var (limit, total) = _memory?.LimitsOf(route.Namespace) ?? (RouteSpecJson.MaxSize, MaxInList);
        var size = RouteMemory.SizeOf(route);
        if (size > limit || Add(route.Namespace, size) > Math.Max(MaxInList, 2 * total))
        {
            route.Spec?.Drop();
        }

        return route;
    }

    /// <summary>The Routes of a tenant that were read have been stored.</summary>
    public void Stored(string tenantNamespace)
    {
        lock (_gate)
        {
            _pending.Remove(tenantNamespace);
        }
    }

    private long Add(string tenantNamespace, int size)
    {
        lock (_gate)
        {
            return _pending[tenantNamespace] = _pending.GetValueOrDefault(tenantNamespace) + size;
        }
    }
}

/// <summary>
/// Bounds the memory for the Routes of each tenant: drops the specs of those that exceed the tenant's limits
/// (<see cref="RouteSpecJson.Drop"/>). Without it, a tenant could fill the memory of the manager with Routes that are rejected. On every
/// replica.
/// </summary>
internal sealed class RouteMemory : IHostedService, IDisposable
{
    // A tenant beyond its limit must not occupy the dispatcher of all tenants with each change.
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);

    private readonly IInformer<Route> _routes;
    private readonly TenantSettingsResolver _settings;
    private readonly RouteAdmission _admission;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Usage> _usages = new(StringComparer.Ordinal);
    private readonly IDisposable _subscription;

    public RouteMemory(
        [FromKeyedServices(ManagementCluster.Name)] Cluster management,
        TenantSettingsResolver settings,
        RouteAdmission admission,
        TimeProvider time
    )
    {
        _routes = management.Informer<Route>();
        _settings = settings;
        _admission = admission;
        _time = time;
        admission.Start(
            this,
            Task.WhenAll(
                management.Informer<Config>().WaitForSyncAsync(CancellationToken.None),
                management.Informer<Tenant>().WaitForSyncAsync(CancellationToken.None)
            )
        );
        _subscription = _routes.Subscribe(OnChange);
    }

    /// <summary>The size of a Route in bytes, also after its content was dropped.</summary>
    public static int SizeOf(Route? route) => route?.Spec?.Size ?? 0;

    /// <summary>The limits of a tenant for one Route and for all, in bytes.</summary>
    public (long Route, long Total) LimitsOf(string tenantNamespace)
    {
        var policy = _settings.PolicyOf(tenantNamespace);
        return (policy.MaxRouteBytes, policy.MaxTotalBytes);
    }

    /// <summary>The size of all Routes of a tenant in bytes.</summary>
    public long TotalOf(string tenantNamespace)
    {
        lock (_gate)
        {
            return _usages.GetValueOrDefault(tenantNamespace)?.Total ?? 0;
        }
    }

    /// <summary>
    /// Names of the Routes that exceed the limit of one Route, or of all. Of the latter, the first one and all that are newer exceed it, so
    /// that the result does not depend on the order in which they are read.
    /// </summary>
    public static HashSet<string> RoutesBeyond(TenantPolicy policy, IReadOnlyList<Route> all)
    {
        var beyond = new HashSet<string>(StringComparer.Ordinal);
        if (all.All(route => SizeOf(route) <= policy.MaxRouteBytes) && all.Sum(route => (long)SizeOf(route)) <= policy.MaxTotalBytes)
        {
            return beyond;
        }

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
        _admission.Stored(tenantNamespace);
        if (SizeOf(change.New) > policy.MaxRouteBytes)
        {
            change.New!.Spec!.Drop();
        }

        if (!IsSweepDue(change, policy.MaxTotalBytes))
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

    // Counts the change. By key, because a handler that failed gets its objects once more.
    private bool IsSweepDue(Change<Route> change, long limit)
    {
        lock (_gate)
        {
            if (!_usages.TryGetValue(change.Key.Namespace, out var usage))
            {
                _usages[change.Key.Namespace] = usage = new Usage();
            }

            usage.Total += SizeOf(change.New) - usage.Sizes.GetValueOrDefault(change.Key.Name);
            if (change.New is not null)
            {
                usage.Sizes[change.Key.Name] = SizeOf(change.New);
            }
            else
            {
                usage.Sizes.Remove(change.Key.Name);
            }

            if (usage.Sizes.Count == 0)
            {
                _usages.Remove(change.Key.Namespace);
            }

            if (usage.Total <= limit || (usage.SweptAt is { } at && _time.GetElapsedTime(at) < SweepInterval))
            {
                return false;
            }

            usage.SweptAt = _time.GetTimestamp();
            return true;
        }
    }

    private sealed class Usage
    {
        public Dictionary<string, int> Sizes { get; } = new(StringComparer.Ordinal);

        public long Total { get; set; }

        public long? SweptAt { get; set; }
    }
}
