using k8s;
using KubeLB.EmbeddedCluster;
using KubeLB.Sandbox.Composition;

namespace KubeLB.TestClusters.Embedded;

/// <summary>An embedded cluster for a test; each is new.</summary>
public sealed class EmbeddedTestCluster : ITestCluster
{
    private readonly EmbeddedSandboxCluster _cluster;

    private EmbeddedTestCluster(EmbeddedSandboxCluster cluster) => _cluster = cluster;

    /// <summary>The API server, with its faults.</summary>
    public EmbeddedCluster.EmbeddedCluster Server => _cluster.Server;

    /// <inheritdoc/>
    public ClusterFeatures Features => ClusterFeatures.Controllers;

    /// <inheritdoc/>
    public Uri Url => _cluster.Url;

    /// <inheritdoc/>
    public bool AcceptsLoopbackEndpoints => _cluster.AcceptsLoopbackEndpoints;

    /// <inheritdoc/>
    public string KubeconfigYaml => _cluster.KubeconfigYaml;

    /// <inheritdoc/>
    public string AdminToken => Server.ClientConfiguration().AccessToken;

    /// <summary>Starts a cluster.</summary>
    public static async Task<ITestCluster> StartAsync(ClusterRequest request, CancellationToken cancellationToken) =>
        new EmbeddedTestCluster(await EmbeddedSandboxCluster.StartAsync(request, cancellationToken).ConfigureAwait(false));

    /// <inheritdoc/>
    public IKubernetes CreateClient(string userAgent) => _cluster.CreateClient(userAgent);

    /// <inheritdoc/>
    public IKubernetes CreateClient(KubernetesClientConfiguration configuration) => _cluster.CreateClient(configuration);

    /// <inheritdoc/>
    public IKubernetes Connect(string kubeconfig, string userAgent) => _cluster.Connect(kubeconfig, userAgent);

    /// <inheritdoc/>
    public HttpMessageHandler CreateHandler() => TrustingHandler.Create(Server.CertificateAuthorityPem);

    /// <inheritdoc/>
    public Task InstallCrdsAsync(IEnumerable<string> yaml, CancellationToken cancellationToken = default) =>
        _cluster.InstallCrdsAsync(yaml, cancellationToken);

    /// <inheritdoc/>
    public IReadOnlyList<RequestRecord> Requests() => Server.Requests.Snapshot();

    /// <inheritdoc/>
    public void ForgetRequests() => Server.Requests.Clear();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _cluster.DisposeAsync();
}
