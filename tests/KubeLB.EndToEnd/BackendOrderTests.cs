using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Grpc.Core;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Manager;
using KubeLB.Manager.Certificates;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Proxies;
using KubeLB.Manager.Proxies.Acknowledgements;
using KubeLB.Manager.Proxies.Serving;
using KubeLB.Runtime.Clusters;
using KubeLB.Tests.Shared;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Replicas.V1;
using KubeLB.Xds.Resources;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace KubeLB.EndToEnd;

/// <summary>
/// A generated route refers to a backend only after the tenant's proxies have acknowledged its cluster, endpoints and listener, whichever
/// replica of the manager they are connected to. There are two managers; the test creates the pods and opens their streams.
/// </summary>
public sealed class BackendOrderTests : IAsyncLifetime
{
    private const string TenantNamespace = BareManagement.TenantNamespace;

    private readonly ForwardedClock _clock = new();
    private readonly List<RawProxy> _proxies = [];
    private BareManagement _bare = null!;
    private IHost _leader = null!;
    private IHost _other = null!;

    private TestCluster Management => _bare.Objects;

    public async ValueTask InitializeAsync()
    {
        _bare = await BareManagement.StartAsync();
        _leader = await _bare.StartManagerAsync(
            "leader",
            configure: services =>
                services.AddSingleton(host => new ProxyAcknowledgements(
                    host.GetRequiredKeyedService<Cluster>(ManagementCluster.Name),
                    host.GetRequiredService<ProxyConfigurations>(),
                    host.GetRequiredService<XdsStreams>(),
                    host.GetRequiredService<OtherReplicas>(),
                    host.GetRequiredService<ManagerOptions>(),
                    host.GetRequiredService<CollectorRegistry>(),
                    _clock,
                    host.GetRequiredService<ILogger<ProxyAcknowledgements>>()
                ))
        );
        await _bare.AddTenantAsync(_leader);
        await _bare.SetAddressesAsync("10.7.0.1");
        await Management.CreateAsync(CcmRoutes.Gateway(TenantNamespace));
        _other = await _bare.StartManagerAsync("other");
        await Eventually.HoldsAsync(
            () => Task.FromResult(new[] { _leader, _other }.All(m => m.Services.GetRequiredService<XdsCertificates>().Server is not null)),
            "both managers have a server certificate"
        );
    }

    public async ValueTask DisposeAsync()
    {
        _proxies.ForEach(p => p.Dispose());
        await _bare.DisposeAsync();
    }

    [Fact]
    public async Task Route_waits_for_the_ready_pods_on_both_replicas()
    {
        await NotifyReplicasAsync();
        await AddPodAsync("pod-1");
        await AddPodAsync("pod-2");
        await AddPodAsync("starting", isReady: false);
        var here = await ConnectAsync(_leader, "pod-1");
        var there = await ConnectAsync(_other, "pod-2");
        await Management.CreateAsync(CcmRoutes.Http(TenantNamespace, "web"));

        await AcknowledgeAsync(here, "web");
        await WaitForReplicaAsync("pod-2");
        (await GeneratedAsync("web")).Should().BeNull("pod-2 has not acknowledged the backend");

        await AcknowledgeAsync(there, "web");
        await Management.WaitAsync<HttpRoute>(TenantNamespace, "default-web", _ => true, "is generated");
        (await TimeoutsAsync()).Should().Be(0);
    }

    [Fact]
    public async Task Route_without_a_ready_proxy_pod_is_generated_at_once()
    {
        await AddPodAsync("starting", isReady: false);
        var starting = await ConnectAsync(_leader, "starting");
        await Management.CreateAsync(CcmRoutes.Http(TenantNamespace, "web"));

        await Management.WaitAsync<HttpRoute>(TenantNamespace, "default-web", _ => true, "is generated");
        await AcknowledgeAsync(starting, "web");
    }

    [Fact]
    public async Task Ready_pod_without_a_stream_delays_the_route_until_the_timeout()
    {
        await AddPodAsync("pod-1");
        await Management.CreateAsync(CcmRoutes.Http(TenantNamespace, "web"));
        await Management.WaitAsync<V1Service>(TenantNamespace, "default-web-web", _ => true, "is generated");
        await TouchAsync("web", "first");
        (await GeneratedAsync("web")).Should().BeNull();

        _clock.Forward(Delays.Acknowledgement + TimeSpan.FromSeconds(1));
        await TouchAsync("web", "second", isSeen: false);

        await Management.WaitAsync<HttpRoute>(TenantNamespace, "default-web", _ => true, "is generated");
        (await TimeoutsAsync()).Should().Be(1);
    }

    [Fact]
    public async Task Route_does_not_wait_for_a_pod_that_became_unready()
    {
        await AddPodAsync("pod-1");
        await Management.CreateAsync(CcmRoutes.Http(TenantNamespace, "web"));
        await Management.WaitAsync<V1Service>(TenantNamespace, "default-web-web", _ => true, "is generated");
        await TouchAsync("web", "first");
        (await GeneratedAsync("web")).Should().BeNull();

        await ReadyAsync("pod-1", isReady: false);

        await Management.WaitAsync<HttpRoute>(TenantNamespace, "default-web", _ => true, "is generated");
    }

    [Fact]
    public async Task Route_with_a_rejected_backend_keeps_the_old_one_and_reports_ProxyRejected()
    {
        await AddPodAsync("pod-1");
        var proxy = await ConnectAsync(_leader, "pod-1");
        await Management.CreateAsync(CcmRoutes.Http(TenantNamespace, "web"));
        await AcknowledgeAsync(proxy, "web");
        await Management.WaitAsync<HttpRoute>(TenantNamespace, "default-web", _ => true, "is generated");

        await Management.WaitAsync<Route>(TenantNamespace, "web", r => r.Status?.Resources?.Route?.SourceGeneration == 1, "is reported");

        // As the CCM writes a route whose backend was replaced.
        await SwitchBackendAsync("web", "green", 30081, generation: 2);
        var clusters = await ReceiveAsync(proxy, ResourceTypes.Cluster);
        await proxy.NackAsync(clusters, "Error adding/updating cluster(s) default-web-green-80-TCP: no such thing");
        var route = await Management.WaitAsync<Route>(
            TenantNamespace,
            "web",
            r => Programmed(r)?.Reason == RouteConditions.ProxyRejected,
            "is rejected"
        );

        Programmed(route)!.Message.Should().EndWith("default-web-green-80-TCP: no such thing");
        route.Status!.Resources!.Route!.SourceGeneration.Should().Be(1, "the generated route is unchanged");
        BackendOf(await GeneratedAsync("web")).Should().Be("default-web-web");
        (await Management.GetAsync<V1Service>(TenantNamespace, "default-web-web")).Should().NotBeNull("the route still refers to it");

        await SwitchBackendAsync("web", "green", 30082, generation: 3);
        _ = AcknowledgeEverythingAsync(proxy);
        await Management.WaitAsync<HttpRoute>(
            TenantNamespace,
            "default-web",
            r => BackendOf(r) == "default-web-green",
            "refers to the new backend"
        );
        await Management.WaitAsync<Route>(
            TenantNamespace,
            "web",
            r => Programmed(r)?.Reason != RouteConditions.ProxyRejected,
            "is not rejected any more"
        );
    }

    [Fact]
    public async Task Backend_rejected_on_another_replica_is_served_once_acknowledged()
    {
        await NotifyReplicasAsync();
        await AddPodAsync("pod-1");
        var proxy = await ConnectAsync(_other, "pod-1");
        await Management.CreateAsync(CcmRoutes.Http(TenantNamespace, "web"));
        await AcknowledgeAsync(proxy, "web");
        await Management.WaitAsync<HttpRoute>(TenantNamespace, "default-web", _ => true, "is generated");
        await SwitchBackendAsync("web", "green", 30081, generation: 2);
        var listeners = await ReceiveAsync(proxy, ResourceTypes.Listener);
        await proxy.NackAsync(
            listeners,
            "Error adding/updating listener(s) default-web-green-80-TCP: cannot bind '0.0.0.0:10001': Address already in use"
        );
        await Management.WaitAsync<Route>(
            TenantNamespace,
            "web",
            r => Programmed(r)?.Reason == RouteConditions.ProxyRejected,
            "is rejected"
        );

        _ = AcknowledgeEverythingAsync(proxy);

        await Management.WaitAsync<HttpRoute>(
            TenantNamespace,
            "default-web",
            r => BackendOf(r) == "default-web-green",
            "refers to the new backend"
        );
    }

    [Fact]
    public async Task Route_waits_for_a_proxy_that_reconnects_after_a_rejection()
    {
        await AddPodAsync("pod-1");
        var proxy = await ConnectAsync(_leader, "pod-1");
        await Management.CreateAsync(CcmRoutes.Http(TenantNamespace, "web"));
        await AcknowledgeAsync(proxy, "web");
        await Management.WaitAsync<HttpRoute>(TenantNamespace, "default-web", _ => true, "is generated");
        await Management.WaitAsync<Route>(TenantNamespace, "web", r => r.Status?.Resources?.Route?.SourceGeneration == 1, "is reported");
        await SwitchBackendAsync("web", "green", 30081, generation: 2);
        await proxy.NackAsync(
            await ReceiveAsync(proxy, ResourceTypes.Cluster),
            "Error adding/updating cluster(s) default-web-green-80-TCP: no such thing"
        );
        await Management.WaitAsync<Route>(
            TenantNamespace,
            "web",
            r => Programmed(r)?.Reason == RouteConditions.ProxyRejected,
            "is rejected"
        );

        _clock.Forward(TimeSpan.FromSeconds(20));
        proxy.Dispose();
        await Eventually.HoldsAsync(
            () => Task.FromResult(_leader.Services.GetRequiredService<XdsStreams>().Count == 0),
            "its stream has ended"
        );
        await TouchAsync("web", "disconnected");

        BackendOf(await GeneratedAsync("web")).Should().Be("default-web-web", "the timeout does not include the time since the rejection");
        (await TimeoutsAsync()).Should().Be(0);
    }

    [Fact]
    public async Task Route_change_without_a_new_backend_does_not_wait()
    {
        await AddPodAsync("pod-1");
        var proxy = await ConnectAsync(_leader, "pod-1");
        await Management.CreateAsync(CcmRoutes.Http(TenantNamespace, "web"));
        await AcknowledgeAsync(proxy, "web");
        await Management.WaitAsync<HttpRoute>(TenantNamespace, "default-web", _ => true, "is generated");
        await AddPodAsync("silent");

        await Management.PatchAsync<Route>(TenantNamespace, "web", CcmRoutes.Edit("other.example.com", generation: 2));

        await Management.WaitAsync<HttpRoute>(
            TenantNamespace,
            "default-web",
            r => r.Spec!.Hostnames!.Contains("other.example.com"),
            "has changed"
        );
    }

    [Fact]
    public async Task Manager_started_while_a_route_waits_serves_both_backends()
    {
        await AddPodAsync("pod-1");
        var proxy = await ConnectAsync(_leader, "pod-1");
        await Management.CreateAsync(CcmRoutes.Http(TenantNamespace, "web"));
        await AcknowledgeAsync(proxy, "web");
        await Management.WaitAsync<HttpRoute>(TenantNamespace, "default-web", _ => true, "is generated");
        await SwitchBackendAsync("web", "green", 30081, generation: 2);
        await Management.WaitAsync<V1Service>(TenantNamespace, "default-web-green", _ => true, "is generated");

        var third = await _bare.StartManagerAsync("third");
        var cache = third.Services.GetRequiredService<ResourceCache>();

        await Eventually.GetAsync(
            "it serves both",
            () =>
                Task.FromResult(
                    cache.List(TenantNamespace, ResourceTypes.Listener).Select(l => l.Name).Order(StringComparer.Ordinal).ToList()
                ),
            names => names.SequenceEqual(["default-web-green-80-TCP", "default-web-web-80-TCP"]),
            names => string.Join(", ", names)
        );
    }

    [Fact]
    public async Task Proxy_request_to_the_replica_service_is_rejected()
    {
        using var channel = RawProxy.Channel(Server(_leader), await CertificateAsync());

        var asking = async () =>
            await new ReplicaService.ReplicaServiceClient(channel).GetAcknowledgementsAsync(
                new AcknowledgementsRequest { Node = TenantNamespace },
                deadline: DateTime.UtcNow.AddSeconds(30)
            );

        (await asking.Should().ThrowAsync<RpcException>()).Which.StatusCode.Should().Be(StatusCode.PermissionDenied);
        (await MetricAsync("kubelb_manager_xds_denied_streams_total")).Should().Be(1);
    }

    private static System.Net.IPEndPoint Server(IHost manager) => manager.Services.GetRequiredService<XdsEndpoint>().Address!;

    private static Condition? Programmed(Route route) =>
        route.Status?.Conditions?.FirstOrDefault(c => c.Type == RouteConditions.Programmed);

    private static string? BackendOf(HttpRoute? route) => route?.Spec?.Rules?.Single().BackendRefs?.Single().Name;

    private Task<HttpRoute?> GeneratedAsync(string route) => Management.GetAsync<HttpRoute>(TenantNamespace, $"default-{route}");

    private async Task<X509Certificate2> CertificateAsync()
    {
        var secret = await Management.WaitAsync<V1Secret>(TenantNamespace, CertificateSecrets.Client, s => s.Data?.Count > 0, "is there");
        return X509Certificate2.CreateFromPem(
            Encoding.UTF8.GetString(secret.Data["tls.crt"]),
            Encoding.UTF8.GetString(secret.Data["tls.key"])
        );
    }

    private async Task<RawProxy> ConnectAsync(IHost manager, string pod)
    {
        var proxy = new RawProxy(Server(manager), TenantNamespace, await CertificateAsync(), pod);
        _proxies.Add(proxy);
        foreach (var typeUrl in new[] { ResourceTypes.Cluster, ResourceTypes.ClusterLoadAssignment, ResourceTypes.Listener })
        {
            await proxy.SubscribeAsync(typeUrl);
        }

        return proxy;
    }

    // Acknowledges responses until it has the listeners of these Services.
    private static async Task AcknowledgeAsync(RawProxy proxy, params string[] services)
    {
        var wanted = services.ToHashSet();
        while (wanted.Count > 0)
        {
            var response = await proxy.ReceiveAsync();
            await proxy.AckAsync(response);
            if (response.TypeUrl == ResourceTypes.Listener)
            {
                wanted.RemoveWhere(service => response.Resources.Any(r => r.Name.EndsWith($"-{service}-80-TCP", StringComparison.Ordinal)));
            }
        }
    }

    // Runs until the test ends.
    private static async Task AcknowledgeEverythingAsync(RawProxy proxy)
    {
        while (true)
        {
            await proxy.AckAsync(await proxy.ReceiveAsync());
        }
    }

    private static async Task<Envoy.Service.Discovery.V3.DeltaDiscoveryResponse> ReceiveAsync(RawProxy proxy, string typeUrl)
    {
        while (true)
        {
            var response = await proxy.ReceiveAsync();
            if (response.TypeUrl == typeUrl && response.Resources.Count > 0)
            {
                return response;
            }

            await proxy.AckAsync(response);
        }
    }

    private async Task AddPodAsync(string name, bool isReady = true)
    {
        await Management.CreateAsync(
            new V1Pod
            {
                Metadata = new V1ObjectMeta
                {
                    Name = name,
                    NamespaceProperty = TenantNamespace,
                    Labels = new Dictionary<string, string>
                    {
                        [Labels.AppManagedBy] = Labels.ManagedByKubelb,
                        [Labels.AppName] = TenantNamespace,
                    },
                },
                Spec = new V1PodSpec { Containers = [new V1Container { Name = "envoy", Image = "envoy" }] },
            }
        );
        await ReadyAsync(name, isReady);
        await Eventually.HoldsAsync(
            () =>
                Task.FromResult(
                    _leader
                        .Services.GetRequiredKeyedService<Cluster>(ManagementCluster.Name)
                        .Informer<V1Pod>()
                        .Get(TenantNamespace, name)
                        ?.Status?.Conditions?.Count > 0
                ),
            "the leader has cached the pod"
        );
    }

    private Task<V1Pod> ReadyAsync(string pod, bool isReady) =>
        Management.PatchStatusAsync<V1Pod>(
            TenantNamespace,
            pod,
            new { conditions = new[] { new { type = "Ready", status = isReady ? "True" : "False" } } }
        );

    // What the EndpointSlice controller writes for Service envoycp.
    private async Task NotifyReplicasAsync()
    {
        foreach (var (manager, index) in new[] { _leader, _other }.Select((m, i) => (m, i)))
        {
            await Management.CreateAsync(
                new V1EndpointSlice
                {
                    Metadata = new V1ObjectMeta
                    {
                        Name = $"envoycp-{index}",
                        NamespaceProperty = "kubelb",
                        Labels = new Dictionary<string, string> { ["kubernetes.io/service-name"] = "envoycp" },
                    },
                    AddressType = "IPv4",
                    Endpoints = [new V1Endpoint { Addresses = ["127.0.0.1"] }],
                    Ports =
                    [
                        new Discoveryv1EndpointPort
                        {
                            Name = "xds",
                            Port = Server(manager).Port,
                            Protocol = "TCP",
                        },
                    ],
                }
            );
        }
    }

    // After this the response of the other replica to the leader includes the pod.
    private async Task WaitForReplicaAsync(string pod)
    {
        var replicas = _leader.Services.GetRequiredService<OtherReplicas>();
        await Eventually.GetAsync(
            "the other replica has a stream of the pod",
            async () =>
            {
                var clients = new ConcurrentBag<XdsClientAcknowledgement>();
                await replicas.RequestAsync(TenantNamespace, [], (_, answer) => answer.ToList().ForEach(clients.Add), default);
                return clients;
            },
            clients => clients.Any(c => c.Pod == pod),
            clients => string.Join(", ", clients)
        );
        await TouchAsync("web", "asked");
    }

    // Changes an annotation of a Route and waits until the leader has reconciled it.
    private async Task TouchAsync(string route, string mark, bool isSeen = true)
    {
        var before = await ReconcileCounts.OfAsync(_leader, "route");
        await Management.PatchAsync<Route>(
            TenantNamespace,
            route,
            ApiJson.ToJson(new { metadata = new { annotations = new Dictionary<string, string> { ["test/mark"] = mark } } }).ToJsonString()
        );
        if (isSeen)
        {
            await Eventually.HoldsAsync(
                async () => await ReconcileCounts.OfAsync(_leader, "route") > before,
                "the leader reconciles the Route"
            );
        }
    }

    private Task<Route> SwitchBackendAsync(string route, string service, int nodePort, int generation)
    {
        var turned = CcmRoutes.Http(TenantNamespace, service);
        turned.Change(k => k.Services![0].Spec!.Ports![0].NodePort = nodePort);
        var kubernetes = turned.Kubernetes();
        return Management.PatchAsync<Route>(
            TenantNamespace,
            route,
            ApiJson
                .ToJson(
                    new
                    {
                        metadata = new
                        {
                            annotations = new Dictionary<string, string> { [Annotations.SourceGeneration] = $"{generation}" },
                        },
                        spec = new
                        {
                            source = new
                            {
                                kubernetes = new { services = kubernetes.Services, resource = new { spec = kubernetes.Resource!["spec"] } },
                            },
                        },
                    }
                )
                .ToJsonString()
        );
    }

    private Task<double> TimeoutsAsync() => MetricAsync("kubelb_manager_xds_acknowledgement_timeouts_total");

    private async Task<double> MetricAsync(string name)
    {
        using var text = new MemoryStream();
        await _leader.Services.GetRequiredService<CollectorRegistry>().CollectAndExportAsTextAsync(text);
        return double.Parse(
            Encoding.UTF8.GetString(text.ToArray()).Split('\n').Single(l => l.StartsWith($"{name} ", StringComparison.Ordinal)).Split(' ')[
                1
            ],
            System.Globalization.CultureInfo.InvariantCulture
        );
    }
}
