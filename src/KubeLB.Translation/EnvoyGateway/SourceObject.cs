using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Messages;
using KubeLB.Api.Naming;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Routes;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>
/// The tenant's object of a Route, with the Services behind it. Only this class reads a Route's spec, which is untrusted input: a Route
/// that does not contain a Gateway API object of a supported kind is rejected with a message.
/// </summary>
public sealed class SourceObject
{
    private const int MaxQuoteLength = 100;

    private static readonly string[] Kinds = [Gateway.KindName, HttpRoute.KindName, GrpcRoute.KindName];

    // The spec of one version of a Route is immutable: indexes and the controller share the parsed content.
    private static readonly ConditionalWeakTable<RouteSpecJson, Content> Contents = [];

    private SourceObject(RouteOrigin origin, ApiObject value, JsonNode? spec, IReadOnlyList<RouteService> services)
    {
        Origin = origin;
        Value = value;
        Spec = spec;
        Services = services;
    }

    /// <summary>The identity of the tenant's object.</summary>
    public RouteOrigin Origin { get; }

    /// <summary>A <see cref="Gateway"/>, <see cref="HttpRoute"/> or <see cref="GrpcRoute"/>. Shared: must not be modified.</summary>
    public ApiObject Value { get; }

    /// <summary>The Services behind the object; none for a Gateway. Shared: must not be modified.</summary>
    public IReadOnlyList<RouteService> Services { get; }

    /// <summary>The object's spec as JSON.</summary>
    internal JsonNode? Spec { get; }

    /// <summary>Reads the object. The parsed content is cached for each version of a Route.</summary>
    /// <returns>The object, or why it is rejected.</returns>
    public static (SourceObject? Source, string? Problem) Read(Route route)
    {
        if (TenantNames.TenantOf(route.Namespace) is null)
        {
            return (null, RouteMessages.NamespaceNotAllowed(route.Namespace));
        }

        return route.Spec is null ? (null, RouteMessages.SourceMissing) : ContentOf(route.Spec).Source.Value;
    }

    /// <summary>
    /// The identity of the object, even if the rest is invalid; null if the Route has no object with apiVersion, kind and name.
    /// </summary>
    internal static RouteOrigin? OriginOf(Route route) => route.Spec is null ? null : ContentOf(route.Spec).Origin;

    private static Content ContentOf(RouteSpecJson spec) => Contents.GetValue(spec, static s => new Content(s));

    private sealed class Content
    {
        public Content(RouteSpecJson spec)
        {
            Origin = OriginIn(spec);
            Source = new(() => Read(spec, Origin));
        }

        public RouteOrigin? Origin { get; }

        public Lazy<(SourceObject? Source, string? Problem)> Source { get; }

        private static RouteOrigin? OriginIn(RouteSpecJson spec)
        {
            try
            {
                var reader = new Utf8JsonReader(spec.Utf8);
                using var document = JsonDocument.ParseValue(ref reader);
                return RouteOrigin.Of(Field(Field(Field(document.RootElement, "source"), "kubernetes"), "resource"));
            }
            catch (Exception e) when (IsCausedByContent(e))
            {
                return null;
            }
        }

        private static (SourceObject? Source, string? Problem) Read(RouteSpecJson spec, RouteOrigin? origin)
        {
            var part = "spec";
            try
            {
                var root = JsonNode.Parse(spec.Utf8);
                if (root is JsonValue replacement && replacement.TryGetValue<string>(out var reason))
                {
                    return (null, Invalid(part, reason));
                }

                if (origin is null)
                {
                    return (null, RouteMessages.SourceMissing);
                }

                if (ProblemOf(origin) is { } problem)
                {
                    return (null, problem);
                }

                var kubernetes = root!["source"]!["kubernetes"]!;
                var resource = kubernetes["resource"]!.AsObject();
                part = origin.Kind;
                var value = Read(origin.Kind, WithoutNulls(resource));
                part = "spec.source.kubernetes.services";
                var services = value is IGatewayRoute ? ServicesIn(kubernetes["services"]) : [];
                problem = services.Select(ServiceGenerator.Problem).FirstOrDefault(p => p is not null);
                return problem is null ? (new SourceObject(origin, value, resource["spec"], services), null) : (null, problem);
            }
            catch (Exception e) when (IsCausedByContent(e))
            {
                return (null, Invalid(part, JsonProblem.Describe(e)));
            }
        }

        private static string? ProblemOf(RouteOrigin origin)
        {
            if (origin.ApiVersion != GatewayApiVersion.ApiVersion || !Kinds.Contains(origin.Kind))
            {
                return RouteMessages.UnsupportedSource(Truncate(origin.Kind), Truncate(origin.ApiVersion), Kinds);
            }

            if (!DnsNames.IsLabel(origin.Namespace))
            {
                return RouteMessages.InvalidSourceNamespace(origin.Kind, Truncate(origin.Namespace));
            }

            return DnsNames.IsSubdomain(origin.Name) ? null : RouteMessages.InvalidSourceName(origin.Kind, Truncate(origin.Name));
        }

        private static ApiObject Read(string kind, JsonObject json) =>
            kind switch
            {
                Gateway.KindName => ApiJson.Read<Gateway>(json),
                HttpRoute.KindName => ApiJson.Read<HttpRoute>(json),
                _ => ApiJson.Read<GrpcRoute>(json),
            };

        private static List<RouteService> ServicesIn(JsonNode? services) =>
            services is null
                ? []
                :
                [
                    .. services
                        .AsArray()
                        .Select(s => s ?? throw new JsonException("an entry is null"))
                        .Select(s => ApiJson.Read<RouteService>(s.AsObject())),
                ];

        // Exceptions that invalid content can cause; any other is a bug.
        private static bool IsCausedByContent(Exception e) =>
            e
                is JsonException
                    or FormatException
                    or InvalidOperationException
                    or NotSupportedException
                    or ArgumentException
                    or OverflowException;

        private static string Invalid(string part, string error) => RouteMessages.InvalidSpec(part, Truncate(error.TrimEnd('.')));

        private static string Truncate(string text) => MessageText.Quote(text, MaxQuoteLength);

        private static JsonElement Field(JsonElement json, string name) =>
            json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var field) ? field : default;

        // JSON null means that a field is absent. An entry of a list must not be null.
        private static JsonObject WithoutNulls(JsonObject json)
        {
            var result = new JsonObject();
            foreach (var (name, value) in json)
            {
                if (value is not null)
                {
                    result[name] = WithoutNulls(value);
                }
            }

            return result;
        }

        private static JsonNode WithoutNulls(JsonNode node) =>
            node switch
            {
                JsonObject json => WithoutNulls(json),
                JsonArray array => new JsonArray([
                    .. array.Select(e => WithoutNulls(e ?? throw new JsonException("an entry of a list is null"))),
                ]),
                _ => node.DeepClone(),
            };
    }
}

/// <summary>
/// Finds references to other namespaces in fields that are not translated. Such fields are copied unchanged, so the reference would be to a
/// namespace of the management cluster.
/// </summary>
internal static class ForeignReferences
{
    /// <summary>Fields that are replaced.</summary>
    private static readonly string[] ReplacedFields = ["spec.infrastructure", "spec.listeners.allowedRoutes.namespaces"];

    private static readonly string[] GatewayReferences = ["spec.listeners.tls.certificateRefs"];

    private static readonly string[] RouteReferences =
    [
        "spec.parentRefs",
        "spec.rules.backendRefs",
        "spec.rules.filters.requestMirror.backendRef",
        "spec.rules.backendRefs.filters.requestMirror.backendRef",
    ];

    /// <summary>Why a reference is rejected; null if no reference is rejected.</summary>
    /// <param name="kind">The object's kind.</param>
    /// <param name="spec">Its spec as the tenant wrote it.</param>
    public static string? Problem(string kind, JsonNode? spec) =>
        Find(spec, "spec", kind == Gateway.KindName ? GatewayReferences : RouteReferences, kind == Gateway.KindName ? ReplacedFields : [])
            is { } path
            ? RouteMessages.ForeignNamespace(path)
            : null;

    private static string? Find(JsonNode? node, string path, string[] rewritten, string[] replaced) =>
        node switch
        {
            JsonObject when replaced.Contains(path) => null,
            JsonObject json => json.Select(field =>
                    field switch
                    {
                        { Value: null } => null,
                        { Key: "namespace" } when !rewritten.Contains(path) => path,
                        _ => Find(field.Value, $"{path}.{field.Key}", rewritten, replaced),
                    }
                )
                .FirstOrDefault(found => found is not null),
            JsonArray array => array.Select(item => Find(item, path, rewritten, replaced)).FirstOrDefault(found => found is not null),
            _ => null,
        };
}
