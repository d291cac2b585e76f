using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using k8s;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Ccm.Hosting;
using KubeLB.EmbeddedCluster;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Proxies.Serving;
using KubeLB.Sandbox.Activity;
using KubeLB.Sandbox.EnvoyGateway;
using KubeLB.Sandbox.Nodes;
using KubeLB.Sandbox.Proxies;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Composition;

/// <summary>
/// A KubeLB installation in this process: a management cluster with the manager and a stand-in for Envoy Gateway, tenant clusters with
/// their CCMs and simulated nodes, and the data path. Only loopback addresses are used.
/// </summary>
public sealed class SandboxEnvironment : IAsyncDisposable
{
    /// <summary>The error of <c>kubectl logs</c> for a pod without a process.</summary>
    internal const string SimulatedPodLogs =
        "Pods of the sandbox are simulated: they have no logs. The body of a pod's response has the request that it received; "
        + "see docs/reference/sandbox.md.";

    private const string PodConnectionError =
        "Pods of the sandbox are simulated: they have no containers for exec, attach or port-forward; see docs/reference/sandbox.md.";

    private const int FirstNodePort = 30000;
    private const int NodePorts = 2768;

    // Shorter than in production: simulated clusters have no propagation delays.
    private static readonly TimeSpan DrainDelay = TimeSpan.FromSeconds(1);

    private readonly SandboxOptions _options;
    private readonly ComponentLogging _logging;
    private readonly List<IHost> _simulators = [];
    private readonly List<TenantCluster> _tenants = [];
    private readonly DataPlane _dataPlane;
    private readonly CcmKubeconfigs _kubeconfigs;
    private readonly ProxyPods _proxyPods;
    private readonly ILoggerFactory _loggers;
    private readonly ConcurrentDictionary<string, ProxyState> _proxyStates = new(StringComparer.Ordinal);
    private ComponentAccess? _managerAccess;

    private SandboxEnvironment(SandboxOptions options, ComponentLogging logging, DataPlane dataPlane, ISandboxCluster management)
    {
        _options = options;
        _logging = logging;
        _dataPlane = dataPlane;
        Management = management;
        _kubeconfigs = new CcmKubeconfigs(management, options.KubeconfigDirectory);
        _proxyPods = new ProxyPods(management);
        _loggers = LoggerFactory.Create(logging.Of("configuration"));
        var configure = logging.Replacing("manager");
        Manager = new ControllerProcess(
            "manager",
            cancel => BuildManagerAsync(configure, cancel),
            manager => FollowManager(manager.Services.GetRequiredService<XdsEndpoint>().Address)
        );
    }

    /// <summary>The tenants in order; at least one.</summary>
    public IReadOnlyList<TenantCluster> Tenants => _tenants;

    /// <summary>The management cluster.</summary>
    public ISandboxCluster Management { get; }

    /// <summary>The manager.</summary>
    public ControllerProcess Manager { get; }

    /// <summary>Starts a sandbox. On return all components run; caches may not be synced yet.</summary>
    /// <param name="options">The options; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    /// <exception cref="ArgumentException">The number of tenants is not 1 to 50.</exception>
    public static async Task<SandboxEnvironment> StartAsync(SandboxOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new SandboxOptions();
        if (options.Tenants is < 1 or > 50)
        {
            throw new ArgumentException($"Invalid number of tenants {options.Tenants}; must be 1 to 50.", nameof(options));
        }

        var logging = new ComponentLogging(options);
        options.Progress?.Invoke(options.Envoy is { } envoy ? $"data path, with {envoy}" : "data path");
        var dataPlane = await DataPlane.StartAsync(options, logging.Of("proxies"), cancellationToken).ConfigureAwait(false);
        var sandbox = new SandboxEnvironment(
            options,
            logging,
            dataPlane,
            await StartManagementAsync(options, dataPlane, cancellationToken).ConfigureAwait(false)
        );
        try
        {
            await sandbox.StartPartsAsync(cancellationToken).ConfigureAwait(false);
            return sandbox;
        }
        catch
        {
            await sandbox.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Returns a tenant by name.</summary>
    /// <exception cref="ArgumentException">There is no such tenant.</exception>
    public TenantCluster Tenant(string name) =>
        _tenants.FirstOrDefault(t => t.Name == name) ?? throw new ArgumentException($"Tenant {name} not found.", nameof(name));

    /// <summary>
    /// Creates a handler for requests to Gateway addresses (<c>http://ADDRESS:PORT/</c>): it resolves remapped ports, follows no redirects
    /// and opens a connection per request. The caller disposes it.
    /// </summary>
    public SocketsHttpHandler CreateGatewayHandler() => GatewayHandler.Create(_dataPlane.Resolve);

    /// <summary>The end point that serves a port of a Gateway's address; null if it is not served.</summary>
    public IPEndPoint? ResolveGateway(IPAddress address, int port) => _dataPlane.Resolve(address, port);

    /// <summary>Description of the Envoy that runs as the tenant proxies; null with stand-ins.</summary>
    public string? Proxies => _dataPlane.Processes?.Description;

    /// <summary>The output of a tenant's Envoys, oldest first; empty with stand-ins.</summary>
    public IReadOnlyList<ProxyLogLine> ProxyOutput(TenantCluster tenant) => _dataPlane.Processes?.OutputOf(tenant.Namespace) ?? [];

    /// <summary>The process ids of a tenant's Envoys, with their pods; empty with stand-ins.</summary>
    public IReadOnlyList<(string Pod, int ProcessId)> ProxyProcessIds(TenantCluster tenant) =>
        _dataPlane.Processes?.ProcessIdsOf(tenant.Namespace) ?? [];

    /// <summary>Address of a tenant's first ready proxy; null if there is none.</summary>
    public IPAddress? ProxyAddress(TenantCluster tenant) =>
        _dataPlane.Processes is { } processes ? processes.AddressOf(tenant.Namespace) : _dataPlane.Proxies.AddressOf(tenant.Namespace);

    /// <summary>The end point of a port of a tenant's proxy; null if it is not served.</summary>
    public IPEndPoint? ResolveProxy(TenantCluster tenant, int port) =>
        _dataPlane.Processes is null ? _dataPlane.Proxies.Resolve(tenant.Namespace, port)
        : ProxyAddress(tenant) is { } address ? new IPEndPoint(address, port)
        : null;

    /// <summary>Stops all components. The content of the clusters is deleted; log files are kept.</summary>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_tenants.Select(t => t.Ccm).Append(Manager).Select(p => p.DisposeAsync().AsTask())).ConfigureAwait(false);
        await Task.WhenAll(_simulators.Select(HostShutdown.StopAsync)).ConfigureAwait(false);
        await _dataPlane.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(_tenants.Select(t => t.Cluster).Append(Management).Select(c => c.DisposeAsync().AsTask())).ConfigureAwait(false);
        _kubeconfigs.Dispose();
        _loggers.Dispose();
        await _logging.DisposeAsync().ConfigureAwait(false);
    }

    private static Task<ISandboxCluster> StartClusterAsync(
        SandboxOptions options,
        string name,
        (int First, int Last) nodePorts,
        PodLogSource? logs,
        PodEndPointSource endPoints,
        ObjectWarnings warnings,
        CancellationToken cancellationToken
    ) =>
        options.StartCluster(
            new ClusterRequest(name, nodePorts, options.Tls)
            {
                PodLogs = logs ?? NoLogs,
                Warnings = warnings,
                PodConnectionError = PodConnectionError,
                PodEndPoints = endPoints,
            },
            cancellationToken
        );

    // KubeLB itself reports the fields of tenants' Gateways that it ignores.
    private static IEnumerable<string> TenantWarnings(string kind, JsonObject content) =>
        kind == Gateway.KindName ? [] : UnappliedFields.Warnings(kind, content);

    private static async Task<ISandboxCluster> StartManagementAsync(
        SandboxOptions options,
        DataPlane dataPlane,
        CancellationToken cancellationToken
    )
    {
        try
        {
            options.Progress?.Invoke("management cluster");
            var ports = (FirstNodePort, FirstNodePort + NodePorts - 1);
            return await StartClusterAsync(
                    options,
                    "management",
                    ports,
                    dataPlane.Processes is { } processes ? processes.ReadLogs : null,
                    dataPlane.ResolveProxyPod,
                    UnappliedFields.Warnings,
                    cancellationToken
                )
                .ConfigureAwait(false);
        }
        catch
        {
            await dataPlane.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static IAsyncEnumerable<PodLogLine> NoLogs(PodLogRequest request, CancellationToken cancellationToken) =>
        throw new PodLogException(SimulatedPodLogs);

    private async Task StartPartsAsync(CancellationToken cancellationToken)
    {
        var names = Enumerable.Range(1, _options.Tenants).Select(number => $"t{number}").ToList();
        await ClusterSetup.PrepareManagementAsync(Management, names, cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < names.Count; i++)
        {
            await AddTenantAsync(names[i], i, cancellationToken).ConfigureAwait(false);
        }

        _options.Progress?.Invoke("nodes and Envoy Gateway (stand-in)");
        AddSimulators();
        await Task.WhenAll(_simulators.Select(host => host.StartAsync(cancellationToken))).ConfigureAwait(false);
        if (_options.StartControllers)
        {
            // The CCMs need the kubeconfigs from the manager.
            _options.Progress?.Invoke("manager");
            await Manager.StartAsync(cancellationToken).ConfigureAwait(false);
            _options.Progress?.Invoke(_tenants.Count == 1 ? $"CCM of tenant {_tenants[0].Name}" : $"{_tenants.Count} CCMs");
            await Task.WhenAll(_tenants.Select(t => t.Ccm.StartAsync(cancellationToken))).ConfigureAwait(false);
        }
    }

    private async Task AddTenantAsync(string name, int index, CancellationToken cancellationToken)
    {
        // If all nodes share one address, their node ports must be different.
        var share = NodePorts / _options.Tenants;
        var ports = _dataPlane.Addresses.IsShared
            ? (FirstNodePort + (index * share), FirstNodePort + ((index + 1) * share) - 1)
            : (FirstNodePort, FirstNodePort + NodePorts - 1);
        _options.Progress?.Invoke($"cluster of tenant {name}");
        var cluster = await StartClusterAsync(
                _options,
                _options.Tenants == 1 ? "tenant" : name,
                ports,
                null,
                request => _dataPlane.ResolveEchoPod(name, request),
                TenantWarnings,
                cancellationToken
            )
            .ConfigureAwait(false);
        var configure = _logging.Replacing($"ccm-{name}");
        ComponentAccess? access = null;
        var ccm = new ControllerProcess(
            $"ccm-{name}",
            async cancel =>
            {
                access ??= await ComponentAccess.GrantAsync(cluster, ComponentAccess.Ccm, cancel).ConfigureAwait(false);
                return await BuildCcmAsync(name, access, configure, cancel).ConfigureAwait(false);
            }
        );
        _tenants.Add(new TenantCluster(name, cluster, _dataPlane.Addresses.Take(), ccm));
        await ClusterSetup.PrepareTenantAsync(cluster, cancellationToken).ConfigureAwait(false);
    }

    private void AddSimulators()
    {
        foreach (var tenant in _tenants)
        {
            var node = new SimulatedNode(tenant.Name, $"{tenant.Name}-node-1", tenant.NodeAddress, "zone-a");
            _simulators.Add(
                NodeHost.Build(tenant.Cluster, node, _dataPlane.Addresses, _dataPlane.Backends, null, _logging.Of($"node-{tenant.Name}"))
            );
            if (_options.StateChanged is { } changed)
            {
                _simulators.Add(StateReports.Build(tenant.Cluster, this, line => changed(tenant, line), _logging.Of("states")));
            }
        }

        var managementNode = new SimulatedNode("management", "management-node-1", _dataPlane.Addresses.Take(), "zone-a");
        _simulators.Add(
            NodeHost.Build(Management, managementNode, _dataPlane.Addresses, null, _dataPlane.Processes, _logging.Of("node-management"))
        );
        _simulators.Add(
            EnvoyGatewayHost.Build(
                Connect(Management, "envoy-gateway"),
                AddProxies,
                _dataPlane.Gateways,
                _dataPlane.Directory,
                new SandboxNotices(_options.Notice),
                _logging.Of("envoy-gateway")
            )
        );
        _simulators.Add(_kubeconfigs.BuildHost(_logging.Of("kubeconfigs")));
        if (_dataPlane.Processes is null)
        {
            _simulators.Add(_proxyPods.BuildHost(_logging.Of("proxies")));
        }
    }

    private void AddProxies(IServiceCollection services)
    {
        if (_dataPlane.Processes is null)
        {
            services.AddSingleton<IProxyEndpoints>(new StandInEndpoints(_dataPlane.Proxies));
        }
        else
        {
            services.AddSingleton(new PodAddresses(Management.AcceptsLoopbackEndpoints)).AddSingleton<IProxyEndpoints, PodEndpoints>();
        }
    }

    private async Task<IHost> BuildCcmAsync(
        string name,
        ComponentAccess access,
        Action<IServiceCollection, LogLevel> configure,
        CancellationToken cancellationToken
    )
    {
        var options = new CcmOptions
        {
            DrainingNodePorts = DrainDelay,
            ClusterName = name,
            EnableGatewayApi = true,
            EnableLeaderElection = false,
            MetricsAddress = "",
            HealthProbeBindAddress = "",
            LogLevel = _options.LogLevel,
        };
        var userAgent = $"kubelb-ccm/{name}";
        var kubeconfig = await _kubeconfigs.WaitAsync(name, cancellationToken).ConfigureAwait(false);
        var connections = new CcmConnections(() => access.CreateClient(userAgent), () => Management.Connect(kubeconfig, userAgent));
        options = _options.Ccm?.Invoke(options) ?? options;
        return CcmHost.Build(options, connections, services => configure(services, options.LogLevel));
    }

    private async Task<IHost> BuildManagerAsync(Action<IServiceCollection, LogLevel> configure, CancellationToken cancellationToken)
    {
        _managerAccess ??= await ComponentAccess.GrantAsync(Management, ComponentAccess.Manager, cancellationToken).ConfigureAwait(false);
        var access = _managerAccess;
        var options = new ManagerOptions
        {
            ServiceDrain = DrainDelay,
            Namespace = ClusterSetup.ManagerNamespace,
            EnableGatewayApi = true,
            EnableLeaderElection = false,
            MetricsAddress = "",
            HealthProbeBindAddress = "",
            ListenAddress = "127.0.0.1:0",
            LogLevel = _options.LogLevel,
        };
        options = _options.Manager?.Invoke(options) ?? options;
        return ManagerHost.Build(options, () => access.CreateClient("kubelb-manager"), services => configure(services, options.LogLevel));
    }

    /// <summary>Connects the proxies to a manager, for example in another process.</summary>
    /// <param name="manager">The xDS address of the manager; null for none.</param>
    /// <returns>Disconnects when disposed.</returns>
    public Func<Task> FollowManager(IPEndPoint? manager)
    {
        if (manager is not { } server)
        {
            return () => Task.CompletedTask;
        }

        if (_dataPlane.Processes is { } processes)
        {
            processes.Follow(server);
            return () =>
            {
                processes.Follow(null);
                return Task.CompletedTask;
            };
        }

        var stop = new CancellationTokenSource();
        var source = new XdsSource(server, ClusterSetup.XdsServerName, _proxyPods, _proxyStates, _loggers.CreateLogger<XdsSource>());
        var following = Task.WhenAll(
            _dataPlane.Proxies.RunAsync(source, stop.Token),
            new PodStreams(server, ClusterSetup.XdsServerName, _proxyPods).RunAsync(stop.Token)
        );
        return async () =>
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await following.ConfigureAwait(false);
            stop.Dispose();
        };
    }

    private static Func<IKubernetes> Connect(ISandboxCluster cluster, string userAgent) => () => cluster.CreateClient(userAgent);
}

/// <summary>A tenant and its cluster.</summary>
public sealed class TenantCluster
{
    internal TenantCluster(string name, ISandboxCluster cluster, IPAddress nodeAddress, ControllerProcess ccm)
    {
        Name = name;
        Cluster = cluster;
        NodeAddress = nodeAddress;
        Ccm = ccm;
    }

    /// <summary>Name of the tenant.</summary>
    public string Name { get; }

    /// <summary>The tenant's namespace in the management cluster, which is also the node id of its proxy.</summary>
    public string Namespace => TenantNames.Namespace(Name);

    /// <summary>The tenant's cluster.</summary>
    public ISandboxCluster Cluster { get; }

    /// <summary>Address of the cluster's only node.</summary>
    public IPAddress NodeAddress { get; }

    /// <summary>The tenant's CCM.</summary>
    public ControllerProcess Ccm { get; }
}

/// <summary>A line printed by an Envoy.</summary>
/// <param name="Pod">Pod of the Envoy.</param>
/// <param name="Address">Address of the pod.</param>
/// <param name="Text">The line.</param>
public sealed record ProxyLogLine(string Pod, IPAddress? Address, string Text);
