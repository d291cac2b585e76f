using k8s.Models;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.EnvoyGateway.Forwarding;
using KubeLB.Sandbox.EnvoyGateway.Routing;
using KubeLB.Sandbox.EnvoyGateway.Statuses;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Sandbox.EnvoyGateway;

/// <summary>The management cluster, read from informer caches.</summary>
internal sealed class ClusterView([FromKeyedServices(EnvoyGatewayHost.Cluster)] Cluster cluster, IProxyEndpoints proxies)
    : IClusterView,
        IBackendDirectory
{
    private const string Http2CleartextProtocol = "kubernetes.io/h2c";

    /// <summary>Evaluates a Gateway; null if it is not of the managed class.</summary>
    public GatewayEvaluation? Gateway(ResourceKey key)
    {
        var gateway = cluster.Informer<Gateway>().Get(key);
        var @class = gateway?.Spec?.GatewayClassName is { } name ? cluster.Informer<GatewayClass>().Get("", name) : null;
        return @class?.Spec?.ControllerName == EnvoyGatewayHost.ControllerName && gateway!.Metadata.DeletionTimestamp is null
            ? GatewayEvaluator.Evaluate(gateway, this)
            : null;
    }

    /// <summary>Evaluates a route, with the retries of its policy.</summary>
    public RouteEvaluation Route(IGatewayRoute route)
    {
        var evaluation = RouteEvaluator.Evaluate(route, route is GrpcRoute ? GrpcRoute.KindName : HttpRoute.KindName, Gateway, this);
        return PolicyOf(route) is { } policy && PolicyEvaluator.Error(policy) is null && RetryRule.Of(policy.Spec?.Retry) is { } retry
            ? evaluation with
            {
                Rules = [.. evaluation.Rules.Select(r => r with { Action = r.Action with { Retry = r.Action.Retry ?? retry } })],
            }
            : evaluation;
    }

    /// <summary>The routes that a policy targets, with their evaluations and effective policies.</summary>
    public IEnumerable<(RouteEvaluation Evaluation, string Kind, BackendTrafficPolicy? Effective)> TargetsOf(BackendTrafficPolicy policy) =>
        from target in PolicyTargets.Routes(policy)
        let route = target.Kind == GrpcRoute.KindName
            ? cluster.Informer<GrpcRoute>().Get(policy.Namespace, target.Name)
            : (IGatewayRoute?)cluster.Informer<HttpRoute>().Get(policy.Namespace, target.Name)
        where route is not null
        select (Route(route), target.Kind, PolicyOf(route));

    private BackendTrafficPolicy? PolicyOf(IGatewayRoute route) =>
        PolicyEvaluator.Effective(cluster.Informer<BackendTrafficPolicy>().ByIndex(EnvoyGatewayHost.ByTarget, PolicyTargets.KeyOf(route)));

    /// <summary>Evaluates all routes that reference a Gateway.</summary>
    public IReadOnlyList<RouteEvaluation> RoutesOf(ResourceKey gateway)
    {
        var key = gateway.ToString();
        return
        [
            .. cluster
                .Informer<HttpRoute>()
                .ByIndex(EnvoyGatewayHost.ByParent, key)
                .Cast<IGatewayRoute>()
                .Concat(cluster.Informer<GrpcRoute>().ByIndex(EnvoyGatewayHost.ByParent, key))
                .Where(r => r.Metadata.DeletionTimestamp is null)
                .Select(Route),
        ];
    }

    /// <summary>Data of a Secret; null if it does not exist.</summary>
    public IDictionary<string, byte[]>? SecretData(string ns, string name) => cluster.Informer<V1Secret>().Get(ns, name)?.Data;

    public TlsSecret Secret(string ns, string name)
    {
        var secret = cluster.Informer<V1Secret>().Get(ns, name);
        return secret is null ? TlsSecret.Missing
            : secret.Data?.ContainsKey("tls.crt") == true && secret.Data.ContainsKey("tls.key") ? TlsSecret.Valid
            : TlsSecret.Invalid;
    }

    public V1Service? Service(string ns, string name) => cluster.Informer<V1Service>().Get(ns, name);

    public bool HasEndpoints(string ns, string name) => true;

    public IDictionary<string, string> NamespaceLabels(string ns) =>
        cluster.Informer<V1Namespace>().Get("", ns)?.Metadata.Labels ?? new Dictionary<string, string>();

    public IEnumerable<ReferenceGrant> Grants(string ns) => cluster.Informer<ReferenceGrant>().ByIndex(EnvoyGatewayHost.ByNamespace, ns);

    public BackendLocation Find(BackendTarget backend)
    {
        var service = Service(backend.Namespace, backend.Service);
        if (service?.Spec?.Ports?.FirstOrDefault(p => p.Port == backend.Port) is not { } port)
        {
            return BackendLocation.Missing;
        }

        var http2 = port.AppProtocol == Http2CleartextProtocol;
        return new BackendLocation(true, proxies.Of(service, port), http2);
    }
}

/// <summary>Resolves backends for the data plane, which starts before the cluster is connected.</summary>
internal sealed class ServiceDirectory : IBackendDirectory
{
    private IBackendDirectory? _directory;

    /// <summary>Sets the source of backends.</summary>
    public void Connect(IBackendDirectory directory) => Volatile.Write(ref _directory, directory);

    public BackendLocation Find(BackendTarget backend) => Volatile.Read(ref _directory)?.Find(backend) ?? BackendLocation.Missing;
}
