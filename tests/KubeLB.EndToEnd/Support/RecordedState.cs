using System.Text.Json.Nodes;
using KubeLB.Api;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd.Support;

/// <summary>
/// The objects of an installation as a version left them, in <c>testdata/recorded</c>. An API server gives objects new UIDs: wherever one
/// of the recording occurs, in an owner reference or in the name of a Route, the new one replaces it.
/// </summary>
public sealed class RecordedState
{
    /// <summary>Placeholder in the recording for a certificate and its key.</summary>
    public const string CertificateMark = "RECORDED-CERTIFICATE";

    /// <inheritdoc cref="CertificateMark"/>
    public const string KeyMark = "RECORDED-KEY";

    private static readonly string[] Order =
    [
        "Tenant",
        "Namespace",
        "ServiceAccount",
        "Role",
        "RoleBinding",
        "Config",
        "TenantState",
        "Addresses",
        "SyncSecret",
        "Secret",
        "Deployment",
        "PodDisruptionBudget",
        "Route",
        "Service",
        "Gateway",
        "HTTPRoute",
        "GRPCRoute",
        "BackendTrafficPolicy",
    ];

    /// <summary>Kinds whose status another controller of the cluster writes.</summary>
    private static readonly string[] StatusOfOthers = ["Namespace", "Service", "Deployment", "PodDisruptionBudget"];

    private readonly Dictionary<string, string> _uids = [];
    private readonly Dictionary<string, string> _texts = [];
    private readonly string _folder;

    private RecordedState(string folder) => _folder = folder;

    /// <summary>The folder of all recordings.</summary>
    public static string Folder { get; } = Path.Combine(SourceTree.Root, "tests/KubeLB.EndToEnd/testdata/recorded");

    /// <summary>A recording.</summary>
    public static RecordedState Of(string version) => new(Path.Combine(Folder, version));

    /// <summary>Replaces each mark by a text.</summary>
    public RecordedState With(string mark, string text)
    {
        _texts[Base64(mark)] = Base64(text);
        return this;
    }

    /// <summary>Creates the objects of the tenant's cluster.</summary>
    public Task LoadTenantAsync(RawObjects cluster) => LoadAsync(cluster, "tenant", withStatus: _ => true);

    /// <summary>Creates the objects of the management cluster; those of the tenant's cluster exist.</summary>
    public Task LoadManagementAsync(RawObjects cluster) =>
        LoadAsync(
            cluster,
            "management",
            withStatus: value => value["apiVersion"]!.GetValue<string>().StartsWith(ApiGroups.Kubelb, StringComparison.Ordinal)
        );

    /// <summary>Writes objects into a folder of the recording, one file per object.</summary>
    public void Save(string cluster, IEnumerable<JsonObject> objects)
    {
        var folder = Path.Combine(_folder, cluster);
        Directory.CreateDirectory(folder);
        foreach (var value in objects)
        {
            var metadata = value["metadata"]!.AsObject();
            foreach (var ofTheServer in new[] { "managedFields", "resourceVersion", "creationTimestamp", "selfLink" })
            {
                metadata.Remove(ofTheServer);
            }

            var name = string.Join(
                '-',
                new[]
                {
                    value["kind"]!.GetValue<string>().ToLowerInvariant(),
                    RawObjects.NamespaceOf(value),
                    RawObjects.NameOf(value),
                }.Where(p => p.Length > 0)
            );
            File.WriteAllText(Path.Combine(folder, $"{name}.yaml"), Yaml.Write([value]));
        }
    }

    /// <summary>The recorded objects of a cluster, in the order in which they are created.</summary>
    public IEnumerable<JsonObject> Objects(string cluster) =>
        Directory
            .GetFiles(Path.Combine(_folder, cluster), "*.yaml")
            .Order(StringComparer.Ordinal)
            .SelectMany(file => Yaml.Read(File.ReadAllText(file)))
            .SelectMany(value => value["items"] is JsonArray items ? items.Select(item => item!.AsObject()) : [value])
            .OrderBy(value => Array.IndexOf(Order, value["kind"]!.GetValue<string>()))
            .ThenBy(value => value["metadata"]!["ownerReferences"] is null ? 0 : 1);

    private async Task LoadAsync(RawObjects cluster, string folder, Func<JsonObject, bool> withStatus)
    {
        foreach (var recorded in Objects(folder))
        {
            var value = Translate(recorded);
            var (kind, @namespace, name) = (value["kind"]!.GetValue<string>(), RawObjects.NamespaceOf(value), RawObjects.NameOf(value));
            var status = value["status"]?.DeepClone();
            value.Remove("status");
            var uid = RawObjects.UidOf(value);
            foreach (var ofTheServer in new[] { "uid", "generation", "resourceVersion", "creationTimestamp" })
            {
                value["metadata"]!.AsObject().Remove(ofTheServer);
            }

            // The namespaces of the server, the default account of a namespace and the Config with this server's address exist.
            var created = await cluster.GetAsync(kind, @namespace, name) ?? await cluster.CreateAsync(WithoutClusterIp(value));
            _uids[uid] = RawObjects.UidOf(created);
            if (status is not null && withStatus(value) && !StatusOfOthers.Contains(kind))
            {
                await cluster.PatchAsync(kind, @namespace, name, new JsonObject { ["status"] = status }, "status");
            }
        }
    }

    private JsonObject Translate(JsonObject recorded)
    {
        var text = recorded.ToJsonString();
        foreach (var (old, @new) in _uids.Concat(_texts))
        {
            text = text.Replace(old, @new, StringComparison.Ordinal);
        }

        return JsonNode.Parse(text)!.AsObject();
    }

    private static JsonObject WithoutClusterIp(JsonObject value)
    {
        if (value["kind"]!.GetValue<string>() == "Service" && value["spec"] is JsonObject spec)
        {
            spec.Remove("clusterIP");
            spec.Remove("clusterIPs");
        }

        return value;
    }

    private static string Base64(string text) => Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(text));
}
