using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Applying;
using KubeLB.EmbeddedCluster.Controllers;
using KubeLB.EmbeddedCluster.Discovery;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Faults;
using KubeLB.EmbeddedCluster.Http;
using KubeLB.EmbeddedCluster.Http.Handlers;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Security;
using KubeLB.EmbeddedCluster.Storage;
using KubeLB.EmbeddedCluster.Writing;

namespace KubeLB.EmbeddedCluster.Hosting;

/// <summary>The composition root of a cluster.</summary>
internal sealed class ClusterServices : IAsyncDisposable
{
    private readonly ServiceAddresses _addresses;
    private readonly TokenIssuer _issuer;
    private readonly ObjectCreator _creator;
    private readonly ObjectUpdater _updater;
    private readonly NamespaceController _namespaces;
    private readonly ControllerLoop _controllers;
    private readonly ResourceRegistry _registry;
    private readonly PodProxyHandler _podProxies;

    private ClusterServices(EmbeddedClusterOptions options, ClusterCertificates? certificates)
    {
        var time = options.TimeProvider;
        _registry = new ResourceRegistry();
        _addresses = new ServiceAddresses(options.ServiceCidr, options.NodePortRange.First, options.NodePortRange.Last);
        Certificates = certificates;
        AdminToken = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        var store = new ClusterStore(Math.Max(1, options.WatchHistory));
        _registry.Add(BuiltInResources.All(_addresses, time, _registry));
        var gate = new NamespaceAdmission(store);
        var ownership = new FieldOwnership(time);
        _creator = new ObjectCreator(store, time, gate, ownership, options.Warnings);
        _updater = new ObjectUpdater(store, ownership, options.Warnings);
        var deleter = new ObjectDeleter(store, time);
        _issuer = new TokenIssuer(time);
        _namespaces = new NamespaceController(store, _registry, _creator, _updater, deleter);
        var logger = options.LoggerFactory.CreateLogger("KubeLB.EmbeddedCluster");
        ServiceAddressReleaser.Follow(store, _addresses);
        _controllers = new ControllerLoop(
            store,
            [
                _namespaces,
                new GarbageCollector(store, _registry, _updater, deleter),
                new TokenController(store, _registry, _updater, deleter, _issuer, Certificates?.AuthorityPem ?? ""),
                new DefinitionController(store, _registry, _updater, deleter),
            ],
            logger
        );

        var policy = new RbacPolicy(store);
        var escalation = new EscalationCheck(policy);
        var authenticator = new Authenticator(store, _issuer, AdminToken);
        var reads = new ReadHandler(store, time);
        var authorizer = new Authorizer(policy);
        var applies = new ApplyHandler(store, _creator, _updater, new ServerSideApply(time), authorizer, escalation, time);
        _podProxies = new PodProxyHandler(store, options.PodEndPoints);
        var handlers = new ApiHandlers(
            new NonResourceHandler(new DiscoveryDocuments(_registry), new OpenApiDocuments(_registry)),
            reads,
            new WatchHandler(store, time, options.BookmarkInterval),
            new WriteHandler(_registry, _creator, _updater, escalation, time),
            new PatchHandler(_updater, applies, escalation, time),
            new DeleteHandler(store, deleter, reads, time),
            new ScaleHandler(store, _updater),
            new PodLogHandler(store, options.PodLogs, time),
            new PodConnectionHandler(store, options.PodConnectionError),
            _podProxies,
            new ReviewHandler(_registry, store, policy, authenticator, _issuer, time)
        );
        Faults = new FaultInjector(
            store,
            time,
            () =>
            {
                _addresses.Take(store.Table("", "services"));
                _registry.Restore(store.Table("apiextensions.k8s.io", "customresourcedefinitions"));
            }
        );
        Server = new ApiServer(_registry, handlers, authenticator, authorizer, Requests, Faults, time, logger);
    }

    public ClusterCertificates? Certificates { get; }

    private ClusterBootstrap Bootstrap => new(_registry, _creator, _namespaces);

    public string AdminToken { get; }

    public RequestLog Requests { get; } = new();

    public FaultInjector Faults { get; }

    public ApiServer Server { get; }

    /// <summary>Creates the components and the initial objects of a cluster, except those that depend on its address.</summary>
    /// <exception cref="ArgumentException">The options are invalid.</exception>
    public static ClusterServices Create(EmbeddedClusterOptions options, ClusterCertificates? certificates)
    {
        var services = new ClusterServices(options, certificates);
        services.Bootstrap.Prepare();
        return services;
    }

    /// <summary>Creates the initial objects that depend on the address of the server.</summary>
    public void Start(IPAddress address, int port) => Bootstrap.CreateApiServerService(address, port, _addresses.First, _addresses.Network);

    /// <exception cref="FormatException">The object is not a valid CustomResourceDefinition.</exception>
    public void InstallDefinition(JsonNode document)
    {
        if (document is not JsonObject tree || tree.Text("kind") != "CustomResourceDefinition")
        {
            throw new FormatException($"expected a CustomResourceDefinition, found {document["kind"]?.ToString() ?? "no kind"}");
        }
        var resource = _registry.Find("apiextensions.k8s.io", "v1", "customresourcedefinitions")!;
        var name = tree.Object("metadata").Text("name") ?? "";
        try
        {
            ObjectNormalizer.Shape(resource, tree, new WriteOptions());
            try
            {
                _creator.Create(resource, "", tree.Copy(), new WriteOptions());
            }
            catch (ApiException exists) when (exists.Status.Code == 409)
            {
                _updater.Update(
                    resource,
                    "",
                    name,
                    "",
                    current =>
                    {
                        current["spec"] = tree["spec"]?.DeepClone();
                        return current;
                    },
                    new WriteOptions()
                );
            }
        }
        catch (ApiException rejected)
        {
            throw new FormatException(rejected.Message, rejected);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _controllers.DisposeAsync();
        Server.Dispose();
        _podProxies.Dispose();
        _issuer.Dispose();
        Certificates?.Dispose();
    }
}
