using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.EndToEnd.Support;

/// <summary>A cluster as a test uses it: objects in, objects out, straight from the API server.</summary>
public sealed class TestCluster : IAsyncDisposable
{
    private readonly IKubernetes _client;
    private readonly ServiceProvider _services;
    private readonly Cluster _cluster;

    public TestCluster(IKubernetes client)
    {
        _client = client;
        _services = new ServiceCollection()
            .AddLogging()
            .AddKubeRuntime(_ => { })
            .AddCluster("test", _ => client, _ => { })
            .BuildServiceProvider();
        _cluster = _services.GetRequiredKeyedService<Cluster>("test");
    }

    public Task<T?> GetAsync<T>(string @namespace, string name)
        where T : class, IKubernetesObject<V1ObjectMeta> => _cluster.Client<T>().GetAsync(new ResourceKey(@namespace, name), default);

    public async Task<IReadOnlyList<T>> ListAsync<T>(string @namespace = "")
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        (await _cluster.Client<T>().ListAsync(new ListQuery { Namespace = @namespace }, default)).Items;

    public Task<T> PatchAsync<T>(string @namespace, string name, string mergePatch)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        _cluster
            .Client<T>()
            .MergePatchAsync(
                new ResourceKey(@namespace, name),
                JsonNode.Parse(mergePatch, documentOptions: new() { MaxDepth = 1000 })!.AsObject(),
                default
            );

    /// <summary>Writes into the status as another controller would.</summary>
    public Task<T> PatchStatusAsync<T>(string @namespace, string name, object status)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        _cluster
            .Client<T>()
            .MergePatchStatusAsync(new ResourceKey(@namespace, name), new JsonObject { ["status"] = ApiJson.ToJson(status) }, default);

    public Task<bool> DeleteAsync<T>(string @namespace, string name)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        _cluster.Client<T>().DeleteAsync(new ResourceKey(@namespace, name), uid: null, default);

    /// <summary>Creates an object.</summary>
    public Task<T> CreateAsync<T>(T value)
        where T : class, IKubernetesObject<V1ObjectMeta> => _cluster.Client<T>().CreateAsync(value, default);

    /// <summary>Creates the objects of a manifest, in its order.</summary>
    public async Task ApplyAsync(string yaml)
    {
        foreach (var document in Yaml.Read(yaml))
        {
            await CreateAsync(document);
        }
    }

    /// <summary>Waits until the object satisfies the condition.</summary>
    public Task<T> WaitAsync<T>(string @namespace, string name, Func<T, bool> condition, string what)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        Eventually.GetAsync(
            $"{typeof(T).Name} {@namespace}/{name} {what}",
            () => GetAsync<T>(@namespace, name),
            value => value is not null && condition(value),
            value => value is null ? "it does not exist" : ApiJson.ToJson(value).ToJsonString()
        )!;

    /// <summary>Waits until the object is gone.</summary>
    public Task WaitGoneAsync<T>(string @namespace, string name)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        Eventually.GetAsync(
            $"{typeof(T).Name} {@namespace}/{name} is gone",
            () => GetAsync<T>(@namespace, name),
            value => value is null,
            value => ApiJson.ToJson(value!).ToJsonString()
        );

    /// <summary>Watches the objects of a namespace, as an observer beside KubeLB does, until the observation is disposed.</summary>
    public Observation<T> Observe<T>(string @namespace, Action<T> see)
        where T : class, IKubernetesObject<V1ObjectMeta> => new(_client, @namespace, see);

    public async ValueTask DisposeAsync() => await _services.DisposeAsync();

    private Task CreateAsync(JsonObject document) =>
        document["kind"]!.GetValue<string>() switch
        {
            Gateway.KindName => CreateAsync<Gateway>(document),
            GatewayClass.KindName => CreateAsync<GatewayClass>(document),
            HttpRoute.KindName => CreateAsync<HttpRoute>(document),
            GrpcRoute.KindName => CreateAsync<GrpcRoute>(document),
            Tenant.KindName => CreateAsync<Tenant>(document),
            Config.KindName => CreateAsync<Config>(document),
            Addresses.KindName => CreateAsync<Addresses>(document),
            V1Service.KubeKind => CreateAsync<V1Service>(document),
            V1Namespace.KubeKind => CreateAsync<V1Namespace>(document),
            V1Secret.KubeKind => CreateAsync<V1Secret>(document),
            SyncSecret.KindName => CreateAsync<SyncSecret>(document),
            Route.KindName => CreateAsync<Route>(document),
            ReferenceGrant.KindName => CreateAsync<ReferenceGrant>(document),
            V1EndpointSlice.KubeKind => CreateAsync<V1EndpointSlice>(document),
            V1ServiceAccount.KubeKind => CreateAsync<V1ServiceAccount>(document),
            V1ClusterRole.KubeKind => CreateAsync<V1ClusterRole>(document),
            V1ClusterRoleBinding.KubeKind => CreateAsync<V1ClusterRoleBinding>(document),
            V1Deployment.KubeKind => CreateAsync<V1Deployment>(document),
            var kind => throw new ArgumentException($"Tests do not create objects of kind {kind} yet."),
        };

    private async Task CreateAsync<T>(JsonObject document)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var value = ApiJson.Read<T>(document);
        if (ResourceScope.IsNamespaced<T>())
        {
            value.Metadata.NamespaceProperty ??= "default";
        }

        await _cluster.Client<T>().CreateAsync(value, default);
    }

    private static class ResourceScope
    {
        private static readonly Type[] ClusterScoped =
        [
            typeof(GatewayClass),
            typeof(Tenant),
            typeof(V1Namespace),
            typeof(V1ClusterRole),
            typeof(V1ClusterRoleBinding),
        ];

        public static bool IsNamespaced<T>() => !ClusterScoped.Contains(typeof(T));
    }
}
