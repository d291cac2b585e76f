using k8s;
using KubeLB.EmbeddedCluster;
using KubeLB.Runtime.Connections;

namespace KubeLB.TestClusters.External;

/// <summary>A real API server for exclusive use by a test until it is disposed.</summary>
internal sealed class ExternalTestCluster(ServerAccess access, Func<ValueTask> release) : ITestCluster
{
    private readonly RequestList _requests = new();

    public ClusterFeatures Features => access.Features;

    public Uri Url { get; } = new(access.Configuration().Host);

    public bool AcceptsLoopbackEndpoints => false;

    public string KubeconfigYaml => access.KubeconfigYaml;

    public string AdminToken => access.Token;

    public IKubernetes CreateClient(string userAgent)
    {
        var configuration = access.Configuration();
        configuration.UserAgent = userAgent;
        return CreateClient(configuration);
    }

    public IKubernetes CreateClient(KubernetesClientConfiguration configuration) =>
        new Kubernetes(configuration, new RequestLogging(_requests));

    public IKubernetes Connect(string kubeconfig, string userAgent) =>
        Kubeconfig.Connect(kubeconfig, userAgent, new RequestLogging(_requests));

    public HttpMessageHandler CreateHandler() => TrustingHandler.Create(access.AuthorityPem);

    public Task InstallCrdsAsync(IEnumerable<string> yaml, CancellationToken cancellationToken = default) =>
        CrdInstallation.InstallAsync(access, yaml, cancellationToken);

    public IReadOnlyList<RequestRecord> Requests() => _requests.Snapshot();

    public void ForgetRequests() => _requests.Clear();

    public ValueTask DisposeAsync() => release();
}
