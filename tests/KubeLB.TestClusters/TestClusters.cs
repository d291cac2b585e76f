using KubeLB.Sandbox.Composition;
using KubeLB.TestClusters.Embedded;
using KubeLB.TestClusters.Envtest;
using KubeLB.TestClusters.K3s;

namespace KubeLB.TestClusters;

/// <summary>
/// The clusters that tests run on, as the environment variable <c>KUBELB_TEST_CLUSTER</c> chooses: <c>embedded</c> (the default),
/// <c>envtest</c> (the etcd and kube-apiserver in the folder <c>KUBEBUILDER_ASSETS</c>) or <c>k3s</c> (a container; needs Docker).
/// </summary>
public static class TestClusters
{
    /// <summary>Name of the variable that selects the kind of cluster.</summary>
    public const string Variable = "KUBELB_TEST_CLUSTER";

    private static readonly Lazy<Func<ClusterRequest, CancellationToken, Task<ITestCluster>>> Source = new(() => Choose(Chosen));

    /// <summary>The selected kind of cluster.</summary>
    public static string Chosen => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } value ? value : "embedded";

    /// <summary>Whether tests run on embedded clusters, which alone have faults on demand and see the requests of every client.</summary>
    public static bool IsEmbedded => Chosen == "embedded";

    /// <summary>A fresh cluster. Dispose it when the test is done; a real one is then emptied and reused.</summary>
    /// <exception cref="TestClusterUnavailableException">The selected kind of cluster is not available, with the reason.</exception>
    public static Task<ITestCluster> StartAsync(ClusterRequest request, CancellationToken cancellationToken = default) =>
        Source.Value(request, cancellationToken);

    /// <inheritdoc cref="StartAsync(ClusterRequest, CancellationToken)"/>
    public static Task<ITestCluster> StartAsync(string name) => StartAsync(new ClusterRequest(name, (30000, 32767), Tls: true));

    /// <summary>The factory of a kind of cluster; nothing is started yet.</summary>
    internal static Func<ClusterRequest, CancellationToken, Task<ITestCluster>> Choose(string choice)
    {
        switch (choice)
        {
            case "embedded":
                return EmbeddedTestCluster.StartAsync;
            case "envtest":
                var binaries = new EnvtestServers();
                return new ClusterPool(binaries.StartAsync).TakeAsync;
            case "k3s":
                return new ClusterPool(K3sServer.StartAsync).TakeAsync;
            default:
                return (_, _) =>
                    throw new TestClusterUnavailableException($"{Variable}={choice} is not known; use embedded, envtest or k3s.");
        }
    }
}
