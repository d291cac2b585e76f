using System.Diagnostics;
using KubeLB.Api.Naming;
using KubeLB.Xds.Resources;

namespace KubeLB.Benchmarks.RealManager;

/// <summary>A management cluster with a manager, one tenant with so many routes, and a proxy of that tenant.</summary>
internal sealed class TenantOfSize : IAsyncDisposable
{
    /// <summary>Nodes of the tenant at first.</summary>
    public const int Nodes = 10;

    private const string Tenant = "t";
    private const int SharedNodePort = 30080;
    private const int FirstOwnNodePort = 32000;

    // Routes whose node port changes: a few, spread over all of them.
    private const int Changing = 25;

    // Until the later responses to a change have arrived, too.
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(20);

    private readonly ManagementSide _management;
    private readonly RunningManager _manager;
    private readonly DeltaProxy _proxy;
    private readonly bool[] _isOnSecondNodePort = new bool[Changing];
    private int _changes;

    private TenantOfSize(int routes, ManagementSide management, RunningManager manager, DeltaProxy proxy)
    {
        Routes = routes;
        _management = management;
        _manager = manager;
        _proxy = proxy;
    }

    public int Routes { get; }

    public EmbeddedCluster.EmbeddedCluster Server => _management.Server;

    /// <summary>Starts everything and waits until the proxy has all.</summary>
    /// <param name="routes">How many routes.</param>
    /// <param name="nodePorts">Node ports that they are behind, one for all or one for each.</param>
    public static async Task<TenantOfSize> StartAsync(int routes, int nodePorts = 1)
    {
        var management = await ManagementSide.StartAsync([Tenant]);
        var manager = await RunningManager.StartAsync(management);
        await management.TenantsReadyAsync();
        await management.CreateNodesAsync(Tenant, Nodes);
        await management.CreateRoutesAsync(Tenant, routes, i => SharedNodePort + (i % nodePorts));
        var tenantNamespace = TenantNames.Namespace(Tenant);
        await ManagementSide.EventuallyAsync(
            $"the manager has {routes:N0} routes of a tenant",
            () => Task.FromResult(manager.ListenersOf(tenantNamespace) == routes)
        );
        var proxy = new DeltaProxy(manager.Address, tenantNamespace, await management.ProxyCertificateAsync(Tenant));
        await proxy.HasAsync(routes);
        return new TenantOfSize(routes, management, manager, proxy);
    }

    /// <summary>One more node, or one less: an endpoint list for each node port.</summary>
    public Task<Pushed> ChangeNodesAsync() =>
        TimeAsync(ResourceTypes.ClusterLoadAssignment, "nodeport-", () => _management.SetNodesAsync(Tenant, Nodes + (++_changes % 2)));

    /// <summary>The Service of one route has another node port: its cluster, and an endpoint list.</summary>
    public Task<Pushed> ChangeNodePortAsync()
    {
        var changing = ++_changes % Changing;
        var name = ManagementSide.RouteName(changing * Routes / Changing);
        _isOnSecondNodePort[changing] ^= true;
        var nodePort = FirstOwnNodePort + (2 * changing) + (_isOnSecondNodePort[changing] ? 1 : 0);
        return TimeAsync(
            ResourceTypes.ClusterLoadAssignment,
            $"nodeport-{nodePort}",
            () => _management.SetNodePortAsync(Tenant, name, nodePort)
        );
    }

    /// <summary>A new route, which is removed again afterwards.</summary>
    public async Task<Pushed> AddRouteAsync()
    {
        var name = $"new{++_changes}";
        var pushed = await TimeAsync(
            ResourceTypes.Listener,
            $"default-{name}-",
            () => _management.CreateRouteAsync(Tenant, name, SharedNodePort)
        );
        await _management.DeleteRouteAsync(Tenant, name);
        await _proxy.HasAsync(Routes);
        return pushed;
    }

    /// <summary>A new route, which stays.</summary>
    public Task AddRouteForGoodAsync() => _management.CreateRouteAsync(Tenant, $"new{++_changes}", SharedNodePort);

    public void ForgetRequests() => _management.ForgetRequests();

    public string Requests() => _management.Requests();

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _manager.DisposeAsync();
        await _management.DisposeAsync();
    }

    private async Task<Pushed> TimeAsync(string typeUrl, string namePrefix, Func<Task> write)
    {
        var bytes = _proxy.Bytes;
        var next = _proxy.NextAsync(typeUrl, namePrefix);
        var sent = Stopwatch.GetTimestamp();
        await write();
        var answered = Stopwatch.GetTimestamp();
        var read = await next;
        await Task.Delay(Rest);
        return new Pushed(Milliseconds(sent, read), Milliseconds(answered, read), _proxy.Bytes - bytes);
    }

    private static double Milliseconds(long from, long to) => (to - from) * 1000.0 / Stopwatch.Frequency;
}

/// <summary>A change that reached a proxy.</summary>
/// <param name="SinceSent">Milliseconds from the sending of the write to the API server to the proxy's reading of the response.</param>
/// <param name="SinceAnswered">
/// The same from the API server's answer to the write; less than 0 if the proxy was faster than the answer.
/// </param>
/// <param name="Bytes">All that the proxy was sent because of it.</param>
internal sealed record Pushed(double SinceSent, double SinceAnswered, long Bytes);
