using System.Text.Json.Nodes;
using KubeLB.Api.Naming;
using KubeLB.Api.Serialization;
using KubeLB.Runtime.Probes;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Resources;

namespace KubeLB.Manager.Proxies;

/// <summary>
/// <c>/debug/xds</c>: the proxies connected to this replica, with the names and versions of the resources that each has requested, accepted
/// and rejected, but not their content. <c>?tenant=</c> shows one tenant.
/// </summary>
internal sealed class XdsDebugPage(XdsStreams streams, ResourceCache resources) : IDebugPage
{
    /// <summary>Maximum number of names listed; the total number is always shown.</summary>
    public const int MaxNames = 20;

    private const string HiddenMessage = "hidden, since an error about a certificate may quote its key; see the proxy's log";

    /// <inheritdoc/>
    public string Path => "/debug/xds";

    /// <inheritdoc/>
    public JsonNode Show(IReadOnlyDictionary<string, string> query)
    {
        var only = query.GetValueOrDefault("tenant") is { Length: > 0 } tenant ? TenantNames.Namespace(tenant) : null;
        var open = streams
            .Describe()
            .Where(s => only is null || s.Stream.Node == only)
            .ToLookup(s => s.Stream.Node, StringComparer.Ordinal);
        var nodes = resources
            .Nodes.Where(n => only is null || n == only)
            .Concat(open.Select(s => s.Key))
            .Distinct()
            .Order(StringComparer.Ordinal);
        return new JsonObject { ["tenants"] = Array(nodes.Select(node => Tenant(node, open[node]))) };
    }

    private JsonObject Tenant(string node, IEnumerable<XdsStreamStatus> open) =>
        new()
        {
            ["node"] = node,
            ["resources"] = new JsonObject(
                XdsTypeNames.All.Select(t => KeyValuePair.Create(t.Name, (JsonNode?)resources.Count(node, t.TypeUrl)))
            ),
            ["proxies"] = Array(
                open.GroupBy(s => s.Stream.Peer)
                    .OrderBy(p => p.Key, StringComparer.Ordinal)
                    .Select(proxy => new JsonObject
                    {
                        ["peer"] = proxy.Key,
                        ["streams"] = Array(proxy.OrderBy(s => s.Stream.Id).Select(Stream)),
                    })
            ),
        };

    private static JsonObject Stream(XdsStreamStatus stream) =>
        new()
        {
            ["id"] = stream.Stream.Id,
            ["service"] = ServiceOf(stream.Stream.Service),
            ["protocol"] = stream.Stream.Delta ? "delta" : "state of the world",
            ["since"] = StatusTime.Of(stream.Opened),
            ["types"] = Array(stream.Types.OrderBy(t => t.TypeUrl, StringComparer.Ordinal).Select(Type)),
        };

    private static JsonObject Type(XdsTypeStatus type)
    {
        var json = new JsonObject
        {
            ["type"] = XdsTypeNames.Of(type.TypeUrl),
            ["wildcard"] = type.Wildcard,
            ["names"] = type.Names,
            ["sent"] = type.Resources,
            ["sentVersion"] = type.SentVersion,
            ["acknowledgedVersion"] = type.AcknowledgedVersion,
            ["acknowledgedNonce"] = type.AcknowledgedNonce,
            ["pending"] = type.Awaiting,
        };
        var rejections = type
            .Rejected.Values.Concat(type.Rejection is { } last ? [last] : [])
            .Distinct(ReferenceEqualityComparer.Instance)
            .Cast<XdsRejection>();
        json["rejections"] = Array(rejections.OrderBy(r => r.At).Select(rejection => Rejection(type, rejection)));
        return json;
    }

    private static JsonObject Rejection(XdsTypeStatus type, XdsRejection rejection)
    {
        // Only resources that have not been accepted since the rejection.
        var names = type.Rejected.Where(r => ReferenceEquals(r.Value, rejection)).Select(r => r.Key).Order(StringComparer.Ordinal).ToList();
        return new JsonObject
        {
            ["at"] = StatusTime.Of(rejection.At),
            ["version"] = rejection.Version,
            ["code"] = rejection.Code,
            ["message"] = rejection.TypeUrl == ResourceTypes.Secret ? HiddenMessage : rejection.Message,
            ["resources"] = names.Count,
            ["first"] = Array(names.Take(MaxNames).Select(n => JsonValue.Create(n))),
        };
    }

    private static string ServiceOf(string method) =>
        method.Contains("Aggregated", StringComparison.Ordinal) ? "ADS" : method[(method.LastIndexOf('/') + 1)..];

    private static JsonArray Array(IEnumerable<JsonNode?> items) => [.. items];
}
