using KubeLB.Sandbox.Composition;
using KubeLB.TestClusters;
using KubeLB.TestClusters.Envtest;
using KubeLB.TestClusters.K3s;

namespace KubeLB.EndToEnd;

/// <summary>A cluster that was asked for and cannot be had is an error that says why, never another cluster.</summary>
public sealed class TestClusterChoiceTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("assets-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task An_unknown_choice_names_the_known_ones()
    {
        var start = TestClusters.TestClusters.Choose("minikube");

        await Awaiting(start)
            .Should()
            .ThrowAsync<TestClusterUnavailableException>()
            .WithMessage("KUBELB_TEST_CLUSTER=minikube is not known; use embedded, envtest or k3s.");
    }

    [Fact]
    public void Envtest_without_its_folder_says_which_variable_to_set()
    {
        Finding(null).Should().Throw<TestClusterUnavailableException>().WithMessage("*KUBEBUILDER_ASSETS is not set*");
        Finding("/no/such/folder")
            .Should()
            .Throw<TestClusterUnavailableException>()
            .WithMessage("*names /no/such/folder, which is no folder*");
    }

    [Fact]
    public void Envtest_needs_etcd_and_the_api_server_but_not_the_controllers()
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
    public async Task K3s_without_Docker_says_what_to_start_or_set()
    {
        // Nothing listens at port 9 of the loopback interface.
        var start = () => K3sServer.StartAsync(new Uri("tcp://127.0.0.1:9"), CancellationToken.None);

        await start
            .Should()
            .ThrowAsync<TestClusterUnavailableException>()
            .WithMessage("KUBELB_TEST_CLUSTER=k3s needs Docker, which did not start a container of *: *Start Docker, set DOCKER_HOST*");
    }

    [Fact]
    public async Task A_server_that_does_not_start_is_quoted_at_once_and_not_tried_again()
    {
        var starts = 0;
        var pool = new ClusterPool(
            (_, _) =>
            {
                starts++;
                throw new TestClusterUnavailableException("kube-apiserver ended. Its last words: no");
            }
        );

        for (var i = 0; i < 2; i++)
        {
            await Awaiting(pool.TakeAsync).Should().ThrowAsync<TestClusterUnavailableException>().WithMessage("*Its last words: no");
        }

        starts.Should().Be(1);
    }

    private static Action Finding(string? folder) => () => EnvtestAssets.Find(folder);

    private static Func<Task> Awaiting(Func<ClusterRequest, CancellationToken, Task<ITestCluster>> start) =>
        () => start(new ClusterRequest("any", (30000, 32767), Tls: true), CancellationToken.None);
}
