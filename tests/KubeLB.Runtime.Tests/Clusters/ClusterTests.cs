using k8s.Models;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tests.Fakes;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Runtime.Tests.Clusters;

public sealed class ClusterTests
{
    private readonly FakeApiServer _server = new();

    [Fact]
    public async Task Missing_informer_is_reported_with_kind_and_cluster()
    {
        await using var host = TestHost.Build(_server);
        FluentActions
            .Invoking(() => host.Cluster.Informer<V1Service>())
            .Should()
            .Throw<InvalidOperationException>()
            .WithMessage("Cluster \"home\" has no informer for V1Service (services); register one*");
    }

    [Fact]
    public void Type_without_attribute_is_reported_with_a_remedy() =>
        FluentActions
            .Invoking(ResourceKind.Of<V1ObjectMeta>)
            .Should()
            .Throw<InvalidOperationException>()
            .WithMessage("*add [KubernetesEntity(*");

    [Fact]
    public void Kind_has_apiVersion_and_full_name()
    {
        var widget = ResourceKind.Of<Widget>();
        (widget.ApiVersion, widget.FullName).Should().Be(("example.com/v1alpha1", "widgets.example.com"));
        var service = ResourceKind.Of<V1Service>();
        (service.ApiVersion, service.FullName).Should().Be(("v1", "services"));
    }

    [Fact]
    public void Key_is_printed_in_kubectl_syntax()
    {
        new ResourceKey("ns", "n").ToString().Should().Be("ns/n");
        ResourceKey.Of(new V1Node { Metadata = new V1ObjectMeta { Name = "n" } }).ToString().Should().Be("n");
        FluentActions.Invoking(() => ResourceKey.Of(new V1Node())).Should().Throw<ArgumentException>();
    }

    [Fact]
    public void Cluster_registered_twice_is_rejected()
    {
        var services = new ServiceCollection().AddCluster("home", _ => _server.Connect(), _ => { });
        FluentActions
            .Invoking(() => services.AddCluster("home", _ => _server.Connect(), _ => { }))
            .Should()
            .Throw<InvalidOperationException>();
    }

    [Fact]
    public async Task Kind_configured_twice_shares_one_informer()
    {
        await using var host = await TestHost.StartSyncedAsync(
            _server,
            c => c.Informer<Widget>(i => i.Index("colour", w => [w.Spec!.Colour!])),
            s => s.ConfigureCluster("home", c => c.Informer<Widget>(i => i.Index("size", w => [$"{w.Spec!.Size}"])).Informer<V1Service>())
        );
        _server.PutWidget("a", """{"spec":{"colour":"red","size":2}}""");
        await Eventually.HoldsAsync(() => host.Widgets.ByIndex("colour", "red").Count == 1, "it is found by the one");
        host.Widgets.ByIndex("size", "2").Should().ContainSingle();
        await host.Cluster.Informer<V1Service>().WaitForSyncAsync(new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token);
        _server.Requests.Count(r => r.Path.EndsWith("/widgets") && !r.IsWatch).Should().Be(1);
    }

    [Fact]
    public async Task Quantity_and_IntOrString_are_preserved()
    {
        await using var host = TestHost.Build(_server);
        var limits = new Dictionary<string, ResourceQuantity> { ["cpu"] = new("1500m") };
        var pod = await host
            .Cluster.Client<V1Pod>()
            .CreateAsync(
                new V1Pod
                {
                    Metadata = new V1ObjectMeta { Name = "p", NamespaceProperty = "default" },
                    Spec = new V1PodSpec
                    {
                        Containers =
                        [
                            new V1Container
                            {
                                Name = "c",
                                Resources = new V1ResourceRequirements { Limits = limits },
                            },
                        ],
                    },
                },
                default
            );
        pod.Spec.Containers[0].Resources.Limits["cpu"].ToString().Should().Be("1500m");
    }
}
