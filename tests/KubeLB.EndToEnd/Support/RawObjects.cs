using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using KubeLB.TestClusters;

namespace KubeLB.EndToEnd.Support;

/// <summary>Objects of a cluster as JSON, which keeps fields that no type of this version has.</summary>
public sealed class RawObjects : IDisposable
{
    private static readonly Dictionary<string, Resource> Resources = new()
    {
        ["Namespace"] = new("/api/v1", "namespaces", IsNamespaced: false),
        ["Node"] = new("/api/v1", "nodes", IsNamespaced: false),
        ["Service"] = new("/api/v1", "services"),
        ["Secret"] = new("/api/v1", "secrets"),
        ["ServiceAccount"] = new("/api/v1", "serviceaccounts"),
        ["Role"] = new("/apis/rbac.authorization.k8s.io/v1", "roles"),
        ["RoleBinding"] = new("/apis/rbac.authorization.k8s.io/v1", "rolebindings"),
        ["Deployment"] = new("/apis/apps/v1", "deployments"),
        ["PodDisruptionBudget"] = new("/apis/policy/v1", "poddisruptionbudgets"),
        ["Gateway"] = new("/apis/gateway.networking.k8s.io/v1", "gateways"),
        ["GatewayClass"] = new("/apis/gateway.networking.k8s.io/v1", "gatewayclasses", IsNamespaced: false),
        ["HTTPRoute"] = new("/apis/gateway.networking.k8s.io/v1", "httproutes"),
        ["GRPCRoute"] = new("/apis/gateway.networking.k8s.io/v1", "grpcroutes"),
        ["BackendTrafficPolicy"] = new("/apis/gateway.envoyproxy.io/v1alpha1", "backendtrafficpolicies"),
        ["Config"] = new("/apis/kubelb.k8c.io/v1alpha1", "configs"),
        ["Tenant"] = new("/apis/kubelb.k8c.io/v1alpha1", "tenants", IsNamespaced: false),
        ["TenantState"] = new("/apis/kubelb.k8c.io/v1alpha1", "tenantstates"),
        ["Addresses"] = new("/apis/kubelb.k8c.io/v1alpha1", "addresses"),
        ["Route"] = new("/apis/kubelb.k8c.io/v1alpha1", "routes"),
        ["SyncSecret"] = new("/apis/kubelb.k8c.io/v1alpha1", "syncsecrets"),
        ["CustomResourceDefinition"] = new("/apis/apiextensions.k8s.io/v1", "customresourcedefinitions", IsNamespaced: false),
    };

    private readonly HttpClient _http;

    public RawObjects(ITestCluster cluster)
    {
        _http = new HttpClient(cluster.CreateHandler()) { BaseAddress = cluster.Url };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", cluster.AdminToken);
        _http.DefaultRequestHeaders.UserAgent.ParseAdd("test");
    }

    /// <summary>The objects of a kind, in the order of the API server.</summary>
    public async Task<IReadOnlyList<JsonObject>> ListAsync(string kind, string @namespace = "")
    {
        var resource = Resources[kind];
        var list = (await SendAsync(HttpMethod.Get, resource.Collection(@namespace), null))!;
        return
        [
            .. list["items"]!
                .AsArray()
                .Select(item =>
                {
                    var value = item!.DeepClone().AsObject();
                    value["apiVersion"] = resource.Version;
                    value["kind"] = kind;
                    return value;
                }),
        ];
    }

    /// <summary>An object; null if it does not exist.</summary>
    public Task<JsonObject?> GetAsync(string kind, string @namespace, string name) =>
        SendAsync(HttpMethod.Get, $"{Resources[kind].Collection(@namespace)}/{name}", null);

    /// <summary>Creates an object.</summary>
    public async Task<JsonObject> CreateAsync(JsonObject value) =>
        (await SendAsync(HttpMethod.Post, Resources[value["kind"]!.GetValue<string>()].Collection(NamespaceOf(value)), value))!;

    /// <summary>Replaces an object.</summary>
    public async Task<JsonObject> ReplaceAsync(JsonObject value) =>
        (
            await SendAsync(
                HttpMethod.Put,
                $"{Resources[value["kind"]!.GetValue<string>()].Collection(NamespaceOf(value))}/{NameOf(value)}",
                value
            )
        )!;

    /// <summary>Deletes an object.</summary>
    public Task DeleteAsync(string kind, string @namespace, string name) =>
        SendAsync(HttpMethod.Delete, $"{Resources[kind].Collection(@namespace)}/{name}", null);

    /// <summary>Changes an object, or its status, by a merge patch.</summary>
    public async Task<JsonObject> PatchAsync(string kind, string @namespace, string name, JsonObject patch, string subresource = "")
    {
        var path = $"{Resources[kind].Collection(@namespace)}/{name}{(subresource.Length > 0 ? "/" + subresource : "")}";
        return (await SendAsync(HttpMethod.Patch, path, patch))
            ?? throw new InvalidOperationException($"{kind} {@namespace}/{name} does not exist.");
    }

    public static string NameOf(JsonObject value) => value["metadata"]!["name"]!.GetValue<string>();

    public static string NamespaceOf(JsonObject value) => value["metadata"]!["namespace"]?.GetValue<string>() ?? "";

    public static string UidOf(JsonObject value) => value["metadata"]!["uid"]!.GetValue<string>();

    public void Dispose() => _http.Dispose();

    private async Task<JsonObject?> SendAsync(HttpMethod method, string path, JsonObject? body)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Content = body is null
            ? null
            : new StringContent(
                body.ToJsonString(),
                Encoding.UTF8,
                method == HttpMethod.Patch ? "application/merge-patch+json" : "application/json"
            );
        using var response = await _http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        if (method == HttpMethod.Get && response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }

        response.IsSuccessStatusCode.Should().BeTrue($"{method} {path} should work, but: {text}");
        return JsonNode.Parse(text)!.AsObject();
    }

    private sealed record Resource(string Group, string Plural, bool IsNamespaced = true)
    {
        public string Version => Group[(Group.IndexOf('/', 1) + 1)..];

        public string Collection(string @namespace) =>
            IsNamespaced && @namespace.Length > 0 ? $"{Group}/namespaces/{@namespace}/{Plural}" : $"{Group}/{Plural}";
    }
}
