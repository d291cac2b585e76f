using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Status;

namespace KubeLB.Manager.Proxies.Reports;

/// <summary>What one replica has to say of the proxies on its streams.</summary>
/// <param name="Rejections">Routes whose resources a proxy refuses.</param>
/// <param name="Refusals">Streams that were refused.</param>
internal sealed record ReplicaReport(IReadOnlyDictionary<ResourceKey, ProxyRejection> Rejections, IReadOnlyList<RefusedStream> Refusals)
{
    /// <summary>Bytes of a report; an object's annotations may have 256 KiB. What does not fit is in the log, the metric and the debug page.</summary>
    public const int MaxBytes = 200_000;

    /// <summary>How much of a proxy's own words is told, in characters.</summary>
    public const int MaxMessageLength = 500;

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Nothing to say.</summary>
    public static ReplicaReport Empty { get; } = new(new Dictionary<ResourceKey, ProxyRejection>(), []);

    /// <summary>Whether there is nothing to say.</summary>
    public bool IsEmpty => Rejections.Count == 0 && Refusals.Count == 0;

    /// <summary>Puts a report together.</summary>
    /// <param name="rejected">What proxies refuse, in a stable order; of several refusals of a Route the first is told.</param>
    /// <param name="refusals">Streams that were refused.</param>
    /// <param name="routesOf">The Routes that a resource is of.</param>
    public static ReplicaReport Of(
        IEnumerable<RejectedResource> rejected, IReadOnlyList<RefusedStream> refusals, Func<RejectedResource, IEnumerable<string>> routesOf)
    {
        var rejections = new Dictionary<ResourceKey, ProxyRejection>();
        foreach (var resource in rejected)
        {
            foreach (var route in routesOf(resource))
            {
                rejections.TryAdd(
                    new ResourceKey(resource.Node, route), new ProxyRejection(resource.Proxy, XdsTypeNames.Of(resource.TypeUrl), Clean(resource.Message)));
            }
        }

        return new ReplicaReport(rejections, refusals);
    }

    /// <summary>Reads a report; empty if it cannot be read.</summary>
    public static ReplicaReport Read(string? json)
    {
        try
        {
            return json is not null && JsonSerializer.Deserialize<Content>(json, Options) is { } content
                ? new ReplicaReport(
                    (content.Rejections ?? [])
                        .Where(r => r is { Namespace: not null, Route: not null, Proxy: not null, Type: not null, Message: not null })
                        .GroupBy(r => new ResourceKey(r.Namespace, r.Route))
                        .ToDictionary(g => g.Key, g => Of(g.First())),
                    [.. (content.Refusals ?? []).Where(r => r is { Tenant: not null, Message: not null })])
                : Empty;
        }
        catch (JsonException)
        {
            return Empty;
        }
    }

    /// <summary>As JSON, of at most <see cref="MaxBytes"/>. Tenants take turns, so that one with much to tell does not silence the others.</summary>
    public string ToJson()
    {
        var turns = Rejections
            .GroupBy(r => r.Key.Namespace, StringComparer.Ordinal)
            .SelectMany(tenant => tenant.OrderBy(r => r.Key.Name, StringComparer.Ordinal).Select((r, turn) => (Turn: turn, Of: r)))
            .OrderBy(r => r.Turn)
            .ThenBy(r => r.Of.Key.Namespace, StringComparer.Ordinal)
            .Select(r => new Rejection(r.Of.Key.Namespace, r.Of.Key.Name, r.Of.Value.Proxy, r.Of.Value.Type, r.Of.Value.Message));
        var left = MaxBytes - SizeOf(Refusals);
        return JsonSerializer.Serialize(new Content([.. turns.TakeWhile(r => (left -= SizeOf(r) + 1) > 0)], Refusals), Options);
    }

    private static int SizeOf<T>(T value) => Encoding.UTF8.GetByteCount(JsonSerializer.Serialize(value, Options));

    private static ProxyRejection Of(Rejection rejection) => new(rejection.Proxy, rejection.Type, rejection.Message);

    /// <summary>A proxy's own words on one line, without control characters, cut to <see cref="MaxMessageLength"/>.</summary>
    public static string Clean(string message)
    {
        var text = string.Join(' ', new string([.. message.Select(c => char.IsControl(c) ? ' ' : c)]).Split(' ', StringSplitOptions.RemoveEmptyEntries));
        return text.Length <= MaxMessageLength
            ? text
            : text[..(char.IsHighSurrogate(text[MaxMessageLength - 2]) ? MaxMessageLength - 2 : MaxMessageLength - 1)] + "…";
    }

    private sealed record Rejection(string Namespace, string Route, string Proxy, string Type, string Message);

    private sealed record Content(IReadOnlyList<Rejection>? Rejections, IReadOnlyList<RefusedStream>? Refusals);
}
