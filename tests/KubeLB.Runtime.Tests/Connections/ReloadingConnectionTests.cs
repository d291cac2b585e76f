using System.Globalization;
using System.Text;
using k8s;
using k8s.Models;
using KubeLB.Runtime.Connections;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tests.Fakes;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace KubeLB.Runtime.Tests.Connections;

/// <summary>A kubeconfig file that is replaced while the process runs.</summary>
public sealed class ReloadingConnectionTests : IAsyncLifetime
{
    private const string Namespace = "default";

    private readonly FakeTimeProvider _time = new();
    private readonly string _path = Path.GetTempFileName();
    private EmbeddedCluster.EmbeddedCluster _first = null!;
    private EmbeddedCluster.EmbeddedCluster _second = null!;
    private TestHost _host = null!;

    private IInformer<V1ConfigMap> Maps => _host.Cluster.Informer<V1ConfigMap>();

    public async ValueTask InitializeAsync()
    {
        _first = await EmbeddedCluster.EmbeddedCluster.StartAsync();
        _second = await EmbeddedCluster.EmbeddedCluster.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }

        await _first.DisposeAsync();
        await _second.DisposeAsync();
        File.Delete(_path);
    }

    [Fact]
    public async Task Changed_server_authority_and_token_are_used_without_restart()
    {
        await StartAsync(_first.KubeconfigYaml);
        await CreateAsync(_first, "in-first");
        await AdvanceUntilAsync(() => Maps.Get(Namespace, "in-first") is not null, "the first cluster is watched");
        for (var i = 0; i < 50; i++)
        {
            await CreateAsync(_second, $"other{i.ToString(CultureInfo.InvariantCulture)}");
        }

        await CreateAsync(_second, "in-second");
        await File.WriteAllTextAsync(_path, _second.KubeconfigYaml);
        await AdvanceUntilAsync(() => Maps.Get(Namespace, "in-second") is not null, "the second cluster is listed");
        Maps.Get(Namespace, "in-first").Should().BeNull();
        await CreateAsync(_second, "later");
        await AdvanceUntilAsync(() => Maps.Get(Namespace, "later") is not null, "the second cluster is watched");
        (await _host.Cluster.Kubernetes.CoreV1.ReadNamespacedConfigMapAsync("in-second", Namespace))
            .Should()
            .NotBeNull("requests of any kind go there");
        await _host.Applier.ApplyAsync(
            _host.Cluster,
            new V1ConfigMap
            {
                Metadata = new() { Name = "written", NamespaceProperty = Namespace },
                Data = new Dictionary<string, string> { ["k"] = "v" },
            },
            default
        );
        using var client = _second.CreateClient();
        (await client.CoreV1.ReadNamespacedConfigMapAsync("written", Namespace)).Data["k"].Should().Be("v");
        await AdvanceUntilAsync(() => _first.CountRunning(r => r.UserAgent == "ours" && r.Verb == "watch") == 0, "the old watch is ended");
        _host
            .Logs.Lines.Should()
            .ContainSingle(l => l.Text.Contains("The kubeconfig of cluster \"home\" changed") && l.Text.Contains($"{_second.Url.Port}"));
    }

    [Fact]
    public async Task Redirect_of_a_response_is_not_followed()
    {
        // The API server redirects this path itself; a pod behind pods/proxy can redirect to any URL.
        await using var cluster = await EmbeddedCluster.EmbeddedCluster.StartAsync(
            new EmbeddedCluster.EmbeddedClusterOptions { PodEndPoints = _ => throw new EmbeddedCluster.PodUnreachableException("followed") }
        );
        using var admin = cluster.CreateClient();
        var pod = new V1Pod
        {
            Metadata = new() { Name = "p" },
            Spec = new() { Containers = [new() { Name = "c", Image = "i" }] },
        };
        await admin.CoreV1.CreateNamespacedPodAsync(pod, Namespace);
        var status = new V1Patch("""{"status":{"podIP":"192.0.2.1"}}""", V1Patch.PatchType.MergePatch);
        await admin.CoreV1.PatchNamespacedPodStatusAsync(status, "p", Namespace);
        await File.WriteAllTextAsync(_path, _first.KubeconfigYaml);
        using var connection = ReloadingConnection.Create(new KubeconfigFile(_path), "test", Kubeconfig.Configuration(_path, "test"));
        await File.WriteAllTextAsync(_path, cluster.KubeconfigYaml);
        connection.Refresh().Should().BeTrue();
        using var switched = (Kubernetes)Kubeconfig.Connect(_path, "test");

        foreach (var client in new[] { connection, switched })
        {
            var response = () => client.CoreV1.ConnectGetNamespacedPodProxyAsync("p", Namespace);
            (await response.Should().ThrowAsync<k8s.Autorest.HttpOperationException>())
                .Which.Response.StatusCode.Should()
                .Be(System.Net.HttpStatusCode.MovedPermanently);
        }
    }

    [Fact]
    public async Task Revoked_token_is_replaced_without_restart()
    {
        await StartAsync(_first.KubeconfigFor("revoked"));
        await AdvanceUntilAsync(
            () => Maps.LastError?.Contains("rejected the credentials", StringComparison.Ordinal) == true,
            "it is rejected"
        );
        await File.WriteAllTextAsync(_path, _first.KubeconfigYaml);
        await AdvanceUntilAsync(() => Maps.HasSynced, "it works");
        await CreateAsync(_first, "a");
        await AdvanceUntilAsync(() => Maps.Get(Namespace, "a") is not null, "it is watched");
    }

    [Fact]
    public async Task Secret_of_the_accepted_token_follows_the_file()
    {
        var (old, replacement) = (await TokenAsync("old"), await TokenAsync("new"));
        await StartAsync(_first.KubeconfigFor("revoked"));
        await AdvanceUntilAsync(() => Maps.LastError is not null, "a token is rejected");
        _host.Cluster.TokenSecretInUse.Should().BeNull();

        await File.WriteAllTextAsync(_path, _first.KubeconfigFor(old));
        await AdvanceUntilAsync(() => _host.Cluster.TokenSecretInUse == "old", "the first token is accepted");
        await File.WriteAllTextAsync(_path, _first.KubeconfigFor(replacement));
        await AdvanceUntilAsync(() => _host.Cluster.TokenSecretInUse == "new", "the second token is accepted");
    }

    [Theory]
    [InlineData("")]
    [InlineData("{ half: [")]
    [InlineData(null)]
    public async Task Invalid_file_keeps_the_connection_and_is_reported_once(string? content)
    {
        await StartAsync(_first.KubeconfigYaml);
        await AdvanceUntilAsync(() => Maps.HasSynced, "it works");
        if (content is null)
        {
            File.Delete(_path);
        }
        else
        {
            await File.WriteAllTextAsync(_path, content);
        }

        await AdvanceUntilAsync(() => _host.Logs.Lines.Any(l => l.Text.Contains("keeps its current connection")), "it is reported");
        for (var i = 0; i < 20; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(5));
            var name = $"m{i.ToString(CultureInfo.InvariantCulture)}";
            await CreateAsync(_first, name);
            await AdvanceUntilAsync(() => Maps.Get(Namespace, name) is not null, "the connection works");
        }

        _host.Logs.AtLeast(LogLevel.Warning).Should().ContainSingle().Which.Text.Should().Contain(_path).And.Contain("correct the file");
        _host.Logs.Lines.Should().NotContain(l => l.Text.Contains(_first.ClientConfiguration(null).AccessToken));
    }

    private async Task StartAsync(string kubeconfig)
    {
        await File.WriteAllTextAsync(_path, kubeconfig);
        _host = TestHost.Build(
            () => Kubeconfig.Connect(_path, "ours"),
            c => c.Informer<V1ConfigMap>(m => m.Namespace = Namespace),
            s => s.AddSingleton<TimeProvider>(_time)
        );
        await _host.Host.StartAsync();
    }

    private static async Task CreateAsync(EmbeddedCluster.EmbeddedCluster cluster, string name)
    {
        using var client = cluster.CreateClient("others");
        await client.CoreV1.CreateNamespacedConfigMapAsync(new V1ConfigMap { Metadata = new() { Name = name } }, Namespace);
    }

    // The token of a Secret of ServiceAccount "account".
    private async Task<string> TokenAsync(string secret)
    {
        using var client = _first.CreateClient("others");
        if ((await client.CoreV1.ListNamespacedServiceAccountAsync(Namespace)).Items.All(a => a.Name() != "account"))
        {
            await client.CoreV1.CreateNamespacedServiceAccountAsync(new() { Metadata = new() { Name = "account" } }, Namespace);
        }

        await client.CoreV1.CreateNamespacedSecretAsync(
            new V1Secret
            {
                Metadata = new()
                {
                    Name = secret,
                    Annotations = new Dictionary<string, string> { ["kubernetes.io/service-account.name"] = "account" },
                },
                Type = "kubernetes.io/service-account-token",
            },
            Namespace
        );
        var written = await Eventually.GetAsync(
            "the token is written",
            () => client.CoreV1.ReadNamespacedSecretAsync(secret, Namespace),
            s => s.Data?.ContainsKey("token") == true
        );
        return Encoding.UTF8.GetString(written.Data["token"]);
    }

    private Task AdvanceUntilAsync(Func<bool> condition, string what) =>
        Eventually.HoldsAsync(
            () =>
            {
                if (condition())
                {
                    return true;
                }

                _time.Advance(TimeSpan.FromMilliseconds(200));
                return false;
            },
            what
        );
}
