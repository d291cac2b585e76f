using k8s;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Endpoints;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Endpoints;

/// <summary>
/// The addresses and ranges of the management cluster itself, which are no node addresses of tenants unless the settings allow them: its
/// Nodes, their pods (<c>spec.podCIDRs</c>), Services (ServiceCIDRs), the API server, and the addresses of generated Gateways. On every
/// replica. Thread-safe.
/// </summary>
internal sealed class ManagementRanges : IDisposable
{
    private readonly IInformer<V1Node> _nodes;
    private readonly IInformer<V1ServiceCIDR> _services;
    private readonly IInformer<V1EndpointSlice> _slices;
    private readonly IInformer<Addresses> _addresses;
    private readonly Lock _gate = new();
    private readonly Dictionary<(Type Kind, ResourceKey Key), string[]> _known = [];
    private readonly List<IDisposable> _subscriptions;
    private readonly ITimer _timer;
    private bool _isSettling;
    private volatile AddressSet _ranges = AddressSet.Empty;

    public ManagementRanges([FromKeyedServices(ManagementCluster.Name)] Cluster management, TimeProvider time)
    {
        _timer = time.CreateTimer(_ => Settle(), state: null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _nodes = management.Informer<V1Node>();
        _services = management.Informer<V1ServiceCIDR>();
        _slices = management.Informer<V1EndpointSlice>();
        _addresses = management.Informer<Addresses>();
        _ranges = _ranges.Add(Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST"));
        var gateways = management.Informer<Gateway>();
        _subscriptions =
        [
            _nodes.Subscribe(change => Update(_nodes, change, OfNode)),
            _services.Subscribe(change => Update(_services, change, services => services.Spec?.Cidrs ?? [])),
            _slices.Subscribe(change => Update(_slices, change, OfApiServer)),
            gateways.Subscribe(change => Update(gateways, change, OfGateway)),
        ];
    }

    /// <summary>Raised with the namespace of each tenant that has an address in a range that was added or removed.</summary>
    public event Action<string>? TenantAffected;

    /// <summary>Raised some time after one or more changes.</summary>
    public event Action? Settled;

    /// <summary>All ranges; another instance after a change.</summary>
    public AddressSet Ranges => _ranges;

    /// <summary>The ranges that a policy denies: all, or none (<see cref="TenantPolicy.DeniesManagementCluster"/>).</summary>
    public AddressSet DeniedBy(TenantPolicy policy) => policy.DeniesManagementCluster ? _ranges : AddressSet.Empty;

    /// <summary>What the API server does not tell, for the message of a condition; empty if everything is known.</summary>
    public IReadOnlyList<string> Unknown =>
        [
            .. _nodes.IsComplete ? [] : new[] { Messages.UnknownNodes },
            .. _nodes.List().Any(node => PodRanges(node).Count == 0) || !_nodes.IsComplete ? new[] { Messages.UnknownPods } : [],
            .. _services.IsComplete && _services.List().Count > 0 ? [] : new[] { Messages.UnknownServices },
            .. _slices.List().SelectMany(OfApiServer).Any() ? [] : new[] { Messages.UnknownApiServer },
        ];

    /// <summary>Adds the informers that are read only for the ranges.</summary>
    public static void AddInformers(ClusterBuilder management)
    {
        management.Informer<V1Node>(nodes =>
        {
            nodes.WhenAbsent = WhenAbsent.BlockNone;
            nodes.MayBeForbidden = true;
            nodes.Transform = OnlyAddresses;
        });
        management.Informer<V1ServiceCIDR>(services =>
        {
            services.WhenAbsent = WhenAbsent.BlockNone;
            services.MayBeForbidden = true;
        });
    }

    /// <summary>
    /// Enqueues the keys of all tenants some time after the ranges have changed, so that nodes that join together are one change.
    /// </summary>
    public static void WatchAll(ControllerBuilder controller, Func<string, ResourceKey> keyOf) =>
        WaitFor(controller)
            .Source(
                (host, enqueue) =>
                {
                    var ranges = host.GetRequiredService<ManagementRanges>();
                    var tenants = host.GetRequiredKeyedService<Cluster>(ManagementCluster.Name).Informer<Tenant>();
                    void Enqueue()
                    {
                        foreach (var tenant in tenants.List())
                        {
                            enqueue(keyOf(TenantNames.Namespace(tenant.Name)));
                        }
                    }

                    ranges.Settled += Enqueue;
                    return new SourceSubscription(() => ranges.Settled -= Enqueue);
                }
            );

    /// <summary>Lets a controller of tenants' addresses start with the ranges, and follow them.</summary>
    public static void Watch(ControllerBuilder controller, Func<string, ResourceKey> keyOf) =>
        WaitFor(controller)
            .Source(
                (host, enqueue) =>
                {
                    var ranges = host.GetRequiredService<ManagementRanges>();
                    void Enqueue(string tenantNamespace) => enqueue(keyOf(tenantNamespace));
                    ranges.TenantAffected += Enqueue;
                    return new SourceSubscription(() => ranges.TenantAffected -= Enqueue);
                }
            );

    public void Dispose()
    {
        _subscriptions.ForEach(subscription => subscription.Dispose());
        _timer.Dispose();
    }

    /// <summary>The ranges of a node's pods; empty if its network plugin allocates them without the API server.</summary>
    public static IList<string> PodRanges(V1Node node) =>
        node.Spec?.PodCIDRs is { Count: > 0 } ranges ? ranges : [.. new[] { node.Spec?.PodCIDR }.OfType<string>()];

    private static ControllerBuilder WaitFor(ControllerBuilder controller) =>
        controller
            .WaitFor<V1Node>(ManagementCluster.Name)
            .WaitFor<V1ServiceCIDR>(ManagementCluster.Name)
            .WaitFor<V1EndpointSlice>(ManagementCluster.Name)
            .WaitFor<Gateway>(ManagementCluster.Name);

    private static IEnumerable<string> OfNode(V1Node node) =>
        (node.Status?.Addresses ?? []).Select(address => address.Address).Concat(PodRanges(node));

    private static IEnumerable<string> OfApiServer(V1EndpointSlice slice) =>
        slice.Namespace() == TenantAccess.ApiServerNamespace
            ? (slice.Endpoints ?? []).SelectMany(endpoint => endpoint.Addresses ?? [])
            : [];

    private static IEnumerable<string> OfGateway(Gateway gateway) =>
        (gateway.Status?.Addresses ?? []).Select(address => address.Value).OfType<string>();

    private static V1Node OnlyAddresses(V1Node node) =>
        new()
        {
            ApiVersion = node.ApiVersion,
            Kind = node.Kind,
            Metadata = new V1ObjectMeta
            {
                Name = node.Metadata.Name,
                Uid = node.Metadata.Uid,
                ResourceVersion = node.Metadata.ResourceVersion,
            },
            Spec = new V1NodeSpec { PodCIDR = node.Spec?.PodCIDR, PodCIDRs = node.Spec?.PodCIDRs },
            Status = new V1NodeStatus { Addresses = node.Status?.Addresses },
        };

    private void Settle()
    {
        lock (_gate)
        {
            _isSettling = false;
        }

        Settled?.Invoke();
    }

    private void Update<T>(IInformer<T> informer, Change<T> change, Func<T, IEnumerable<string>> rangesOf)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var changed = new List<string>();
        lock (_gate)
        {
            // Compared with what was stored, because a handler that failed gets its objects once more.
            var key = (typeof(T), change.Key);
            var before = _known.GetValueOrDefault(key) ?? [];
            string[] now = change.New is null ? [] : [.. rangesOf(change.New).Distinct(StringComparer.Ordinal)];
            if (now.Length == 0)
            {
                _known.Remove(key);
            }
            else
            {
                _known[key] = now;
            }

            var ranges = now.Except(before).Aggregate(_ranges, (all, range) => all.Add(range));
            ranges = before.Except(now).Aggregate(ranges, (all, range) => all.Remove(range));
            changed.AddRange(now.Union(before).Where(range => ranges.ContainsRange(range) != _ranges.ContainsRange(range)));
            if (changed.Count == 0 && ReferenceEquals(ranges, _ranges))
            {
                return;
            }

            _ranges = ranges;
            if (changed.Count > 0 && !_isSettling)
            {
                _isSettling = true;
                _timer.Change(Delays.RangesSettled, Timeout.InfiniteTimeSpan);
            }
        }

        // Before the first list is complete, no controller of tenants' addresses runs.
        if (changed.Count > 0 && informer.HasSynced && TenantAffected is { } affected)
        {
            var set = changed.Aggregate(AddressSet.Empty, (all, range) => all.Add(range));
            foreach (var addresses in _addresses.List().Where(a => a.Name == Addresses.DefaultName && IsIn(set, a)))
            {
                affected(addresses.Namespace);
            }
        }
    }

    private static bool IsIn(AddressSet changed, Addresses addresses) =>
        (addresses.Spec?.Addresses ?? []).Any(a => changed.ContainsAny(a?.Ip));
}
