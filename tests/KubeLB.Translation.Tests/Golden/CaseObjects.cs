using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Tests.Shared;

namespace KubeLB.Translation.Tests.Golden;

/// <summary>
/// The objects of a case by kind. What an API server would add and a case leaves out is added: a namespace, a UID from kind
/// and name, generation 1.
/// </summary>
internal sealed class CaseObjects
{
    private readonly Dictionary<(Type Type, string Namespace, string Name), IKubernetesObject<V1ObjectMeta>> _objects = [];

    public CaseObjects(string yaml)
    {
        JsonObject? settings = null;
        foreach (var document in Yaml.Read(yaml))
        {
            switch (document["kind"]?.GetValue<string>())
            {
                case "Settings":
                    settings = document;
                    break;
                case "GatewayClass":
                    Add<GatewayClass>(document, namespaced: false);
                    break;
                case "Gateway":
                    Add<Gateway>(document);
                    break;
                case "HTTPRoute":
                    Add<HttpRoute>(document);
                    break;
                case "GRPCRoute":
                    Add<GrpcRoute>(document);
                    break;
                case "Route":
                    Add<Route>(document);
                    break;
                case "Service":
                    Add<V1Service>(document);
                    break;
                case "EndpointSlice":
                    Add<V1EndpointSlice>(document);
                    break;
                case "Config":
                    Add<Config>(document, defaultNamespace: "kubelb");
                    break;
                case "Tenant":
                    Add<Tenant>(document, namespaced: false);
                    break;
                case "Namespace":
                    Add<V1Namespace>(document, namespaced: false);
                    break;
                case "Secret":
                    Add<V1Secret>(document);
                    break;
                case "SyncSecret":
                    Add<SyncSecret>(document);
                    break;
                case "BackendTrafficPolicy":
                    Add<BackendTrafficPolicy>(document);
                    break;
                case "ReferenceGrant":
                    Add<ReferenceGrant>(document);
                    break;
                case "Node":
                    Add<V1Node>(document, namespaced: false);
                    break;
                case var kind:
                    throw new ArgumentException($"A case does not know objects of kind {kind}.");
            }
        }

        Settings = Settings.Of(settings);
    }

    public Settings Settings { get; }

    public T? Get<T>(string @namespace, string name)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        _objects.TryGetValue((typeof(T), @namespace, name), out var found) ? (T)found : null;

    public IReadOnlyList<T> All<T>()
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        [
            .. _objects
                .Values.OfType<T>()
                .OrderBy(o => o.Metadata.NamespaceProperty, StringComparer.Ordinal)
                .ThenBy(o => o.Metadata.Name, StringComparer.Ordinal),
        ];

    public void Set<T>(T value)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        _objects[(typeof(T), value.Metadata.NamespaceProperty ?? "", value.Metadata.Name)] = value;

    private void Add<T>(JsonObject document, bool namespaced = true, string defaultNamespace = "default")
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var value = ApiJson.Read<T>(document);
        if (namespaced)
        {
            value.Metadata.NamespaceProperty ??= defaultNamespace;
        }

        value.Metadata.Uid ??= $"{value.Kind.ToLowerInvariant()}-{value.Metadata.NamespaceProperty}-{value.Metadata.Name}";
        value.Metadata.Generation ??= 1;
        if (Get<T>(value.Metadata.NamespaceProperty ?? "", value.Metadata.Name) is not null)
        {
            throw new ArgumentException(
                $"A case has two objects {value.Kind} {value.Metadata.NamespaceProperty}/{value.Metadata.Name}: one would stand for both."
            );
        }

        Set(value);
    }
}
