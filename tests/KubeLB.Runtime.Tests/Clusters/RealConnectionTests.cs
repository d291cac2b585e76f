using k8s;
using k8s.Models;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tests.Fakes;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Tests.Clusters;

public sealed class RealConnectionTests
{
    private readonly FakeApiServer _fake = new();

    [Fact]
    public async Task Watch_streams_events_survives_a_disconnect_and_stops()
    {
        await using var server = await LoopbackApiServer.StartAsync(_fake);
        using var host = Build(server.Address);
        await host.StartAsync();
        var informer = host.Services.GetRequiredKeyedService<Cluster>("home").Informer<Widget>();
        await informer.WaitForSyncAsync(default);
        await Eventually.HoldsAsync(() => _fake.Widgets(c => c.OpenWatches) == 1, "it watches");
        for (var i = 0; i < 3; i++)
        {
            _fake.PutWidget($"w{i}");
            await Eventually.HoldsAsync(() => informer.Get("default", $"w{i}") is not null, $"w{i} arrives while the stream stays open");
        }

        _fake.Requests.Count(r => r.IsWatch).Should().Be(1);
        _fake.Widgets(c => c.Drop(abruptly: true));
        _fake.PutWidget("after");
        await Eventually.HoldsAsync(() => informer.Get("default", "after") is not null, "the watch resumes after the disconnect");
        server.Authorization.Should().Be("Bearer secret");

        await host.StopAsync();
        await Eventually.HoldsAsync(() => server.AbortedStreams == 1, "the server sees the watch end");
    }

    [Fact]
    public async Task Core_and_custom_kinds_use_their_paths()
    {
        await using var server = await LoopbackApiServer.StartAsync(_fake);
        using var host = Build(server.Address);
        var cluster = host.Services.GetRequiredKeyedService<Cluster>("home");

        var service = await cluster
            .Client<V1Service>()
            .CreateAsync(
                new V1Service
                {
                    Metadata = new V1ObjectMeta { Name = "s", NamespaceProperty = "default" },
                    Spec = new V1ServiceSpec { Ports = [new V1ServicePort { Port = 80, TargetPort = "http" }] },
                },
                default
            );
        service.Spec.Ports[0].TargetPort.Value.Should().Be("http");
        await cluster.Client<V1Node>().CreateAsync(new V1Node { Metadata = new V1ObjectMeta { Name = "n" } }, default);
        (await cluster.Client<V1Node>().GetAsync(new ResourceKey("", "n"), default))!.Metadata.Name.Should().Be("n");
        (await cluster.Client<Widget>().GetAsync(new ResourceKey("default", "none"), default)).Should().BeNull();
        (await cluster.Client<V1Service>().DeleteAsync(ResourceKey.Of(service), service.Metadata.Uid, default)).Should().BeTrue();
        (await cluster.Client<V1Service>().DeleteAsync(ResourceKey.Of(service), null, default)).Should().BeFalse();

        _fake
            .Requests.Select(r => $"{r.Method} {r.Path}{r.Query}")
            .Should()
            .Equal(
                "POST /api/v1/namespaces/default/services?fieldManager=tester",
                "POST /api/v1/nodes?fieldManager=tester",
                "GET /api/v1/nodes/n",
                "GET /apis/example.com/v1alpha1/namespaces/default/widgets/none",
                "DELETE /api/v1/namespaces/default/services/s",
                "DELETE /api/v1/namespaces/default/services/s"
            );
    }

    [Fact]
    public async Task Unreachable_server_is_reported_in_one_sentence()
    {
        string address;
        await using (var server = await LoopbackApiServer.StartAsync(_fake))
        {
            address = server.Address;
            using var up = Build(address);
            (await up.Services.GetRequiredKeyedService<Cluster>("home").CheckConnectionAsync(default)).Should().BeNull();
        }

        using var host = Build(address);
        var cluster = host.Services.GetRequiredKeyedService<Cluster>("home");
        (await cluster.CheckConnectionAsync(default))
            .Should()
            .StartWith($"Cluster \"home\" cannot be reached at {address}/")
            .And.Contain("refused");
        cluster.IsReachable.Should().BeFalse();
    }

    private static IHost Build(string address)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.None));
        builder.Services.AddSingleton(TestHost.Quick);
        builder.Services.AddKubeRuntime(o => o.FieldManager = "tester");
        builder.Services.AddCluster(
            "home",
            _ => new Kubernetes(new KubernetesClientConfiguration { Host = address, AccessToken = "secret" }),
            c => c.Informer<Widget>()
        );
        return builder.Build();
    }
}
