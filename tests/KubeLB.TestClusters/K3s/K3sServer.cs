using DotNet.Testcontainers.Builders;
using k8s;
using KubeLB.TestClusters.External;
using Testcontainers.K3s;

namespace KubeLB.TestClusters.K3s;

/// <summary>
/// K3s in a container, as a control plane only: nodes, pods and endpoints are left to the sandbox's simulation, so K3s' own agent,
/// scheduler and workload controllers are off.
/// </summary>
internal static class K3sServer
{
    private const string Image = "rancher/k3s:v1.34.1-k3s1";

    private static readonly string[] Arguments =
    [
        "--disable-agent",
        "--disable-scheduler",
        "--disable-cloud-controller",
        "--disable-network-policy",
        "--disable-helm-controller",
        "--disable=coredns,servicelb,traefik,local-storage,metrics-server",
        "--kube-controller-manager-arg=controllers=garbage-collector-controller,namespace-controller,"
            + "serviceaccount-controller,serviceaccount-token-controller,"
            + "root-ca-certificate-publisher-controller",
    ];

    /// <summary>Starts a container.</summary>
    /// <exception cref="TestClusterUnavailableException">Docker does not answer, or the container does not start.</exception>
    public static Task<ServerAccess> StartAsync(string name, CancellationToken cancellationToken) =>
        StartAsync(docker: null, cancellationToken);

    /// <inheritdoc cref="StartAsync(string, CancellationToken)"/>
    /// <param name="docker">The endpoint of Docker; null for that of the environment.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    internal static async Task<ServerAccess> StartAsync(Uri? docker, CancellationToken cancellationToken)
    {
        try
        {
            var builder = new K3sBuilder(Image)
                .WithCommand(Arguments)
                .WithWaitStrategy(Wait.ForUnixContainer().UntilMessageIsLogged("k3s is up and running"));
            var container = (docker is null ? builder : builder.WithDockerEndpoint(docker)).Build();
            AppDomain.CurrentDomain.ProcessExit += (_, _) => container.DisposeAsync().AsTask().GetAwaiter().GetResult();
            await container.StartAsync(cancellationToken).ConfigureAwait(false);
            return await AccessAsync(await container.GetKubeconfigAsync().ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
            when (e
                    is DockerUnavailableException
                        or TimeoutException
                        or InvalidOperationException
                        or Docker.DotNet.DockerApiException
                        or HttpRequestException
                        or AggregateException
            )
        {
            throw new TestClusterUnavailableException(
                $"{TestClusters.Variable}=k3s needs Docker, which did not start a container of {Image}: {e.Message} "
                    + $"Start Docker, set DOCKER_HOST if it listens elsewhere, or use {TestClusters.Variable}=embedded.",
                e
            );
        }
    }

    // The administrator of K3s has a client certificate; the tests need a bearer token, like tenants.
    private static async Task<ServerAccess> AccessAsync(string kubeconfig, CancellationToken cancellationToken)
    {
        using var yaml = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(kubeconfig));
        var configuration = KubernetesClientConfiguration.BuildConfigFromConfigFile(yaml);
        using var client = new Kubernetes(configuration);
        var token = await K3sAdministrator.CreateTokenAsync(client, cancellationToken).ConfigureAwait(false);
        var authority = configuration.SslCaCerts[0].ExportCertificatePem();
        var access = EmbeddedCluster.Hosting.Kubeconfig.Write(
            "k3s",
            new Uri(configuration.Host),
            authority,
            K3sAdministrator.Name,
            token,
            null
        );
        return new ServerAccess(access, authority, token, ClusterFeatures.Controllers);
    }
}
