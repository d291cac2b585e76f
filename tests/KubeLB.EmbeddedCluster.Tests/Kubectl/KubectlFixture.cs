using System.Diagnostics;
using KubeLB.EmbeddedCluster.Tests.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EmbeddedCluster.Tests.Kubectl;

/// <summary>A cluster and the real kubectl.</summary>
public sealed class KubectlFixture : IAsyncLifetime
{
    private KubectlBinary _kubectl = null!;

    public EmbeddedCluster Cluster { get; private set; } = null!;

    public Api Api { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Cluster = await EmbeddedCluster.StartAsync();
        Api = new Api(Cluster);
        _kubectl = new KubectlBinary(Cluster.KubeconfigYaml);
    }

    public async ValueTask DisposeAsync()
    {
        _kubectl.Dispose();
        Api.Dispose();
        await Cluster.DisposeAsync();
    }

    public Task<KubectlOutput> RunAsync(string arguments, string? input = null) => _kubectl.RunAsync(arguments, input);

    public Task<KubectlOutput> OkAsync(string arguments, string? input = null) => _kubectl.OkAsync(arguments, input);

    public Process Start(string arguments) => _kubectl.Start(arguments);
}
