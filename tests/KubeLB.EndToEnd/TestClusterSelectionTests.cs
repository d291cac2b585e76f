using KubeLB.Sandbox.Composition;
using KubeLB.TestClusters;
using KubeLB.TestClusters.Envtest;
using KubeLB.TestClusters.K3s;

namespace KubeLB.EndToEnd;

/// <summary>A requested cluster that is not available is an error with the reason, never another cluster.</summary>
public sealed class TestClusterSelectionTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("assets-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Unknown_test_cluster_reports_the_known_ones()
    {
        var start = TestClusters.TestClusters.Choose("minikube");

        await Awaiting(start)
            .Should()
            .ThrowAsync<TestClusterUnavailableException>()
            .WithMessage("KUBELB_TEST_CLUSTER=minikube is not known; use embedded, envtest or k3s.");
    }

    [Fact]
    public void Envtest_without_its_folder_reports_the_variable_to_set()
    {
        Finding(null).Should().Throw<TestClusterUnavailableException>().WithMessage("*KUBEBUILDER_ASSETS is not set*");
        Finding("/no/such/folder")
            .Should()
            .Throw<TestClusterUnavailableException>()
            .WithMessage("*names /no/such/folder, which is not a folder*");
    }

    [Fact]
    public void Envtest_requires_etcd_and_kube_apiserver_but_no_controller_manager()
    {
        Finding(_folder.FullName).Should().Throw<TestClusterUnavailableException>().WithMessage("*holds no etcd*");
        File.WriteAllText(Path.Combine(_folder.FullName, "etcd"), "");
        Finding(_folder.FullName).Should().Throw<TestClusterUnavailableException>().WithMessage("*holds no kube-apiserver*");
        File.WriteAllText(Path.Combine(_folder.FullName, "kube-apiserver"), "");
        EnvtestAssets.Find(_folder.FullName).ControllerManager.Should().BeNull();
        File.WriteAllText(Path.Combine(_folder.FullName, "kube-controller-manager"), "");
        EnvtestAssets.Find(_folder.FullName).ControllerManager.Should().Be(Path.Combine(_folder.FullName, "kube-controller-manager"));
    }

    [Fact]
    public async Task K3s_without_Docker_reports_the_remedy()
    {
        // Nothing listens at port 9 of the loopback interface.
        var start = () => K3sServer.StartAsync(new Uri("tcp://127.0.0.1:9"), CancellationToken.None);

        await start
            .Should()
            .ThrowAsync<TestClusterUnavailableException>()
            .WithMessage("KUBELB_TEST_CLUSTER=k3s needs Docker, which did not start a container of *: *Start Docker, set DOCKER_HOST*");
    }

    [Fact]
    public async Task Server_that_fails_to_start_is_reported_at_once_without_a_retry()
    {
        var starts = 0;
        var pool = new ClusterPool(
            (_, _) =>
            {
                starts++;
                throw new TestClusterUnavailableException("kube-apiserver ended. Last output: no");
            }
        );

        for (var i = 0; i < 2; i++)
        {
            await Awaiting(pool.TakeAsync).Should().ThrowAsync<TestClusterUnavailableException>().WithMessage("*Last output: no");
        }

        starts.Should().Be(1);
    }

    private static Action Finding(string? folder) => () => EnvtestAssets.Find(folder);

    private static Func<Task> Awaiting(Func<ClusterRequest, CancellationToken, Task<ITestCluster>> start) =>
        () => start(new ClusterRequest("any", (30000, 32767), Tls: true), CancellationToken.None);
}
