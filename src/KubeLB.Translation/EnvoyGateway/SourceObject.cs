using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Messages;
using KubeLB.Api.Naming;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Fields;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>
/// The tenant's object of a Route, with the Services behind it. Only this class reads a Route's spec, which is untrusted input: a Route
/// that does not contain a Gateway API object of a supported kind is rejected with a message.
/// </summary>
public sealed class SourceObject
{
    private const int MaxQuoteLength = 100;

    private static readonly string[] Kinds = [Gateway.KindName, HttpRoute.KindName, GrpcRoute.KindName];

    // The content of one version of a Route is immutable: indexes and the controller share what is parsed from it.
    private static readonly ConditionalWeakTable<object, Content> Contents = [];

    private SourceObject(
        RouteOrigin origin,
        ApiObject value,
        FieldFilter fields,
        IReadOnlySet<int> unservedListeners,
        IReadOnlyList<RouteService> services
    )
    {
        Origin = origin;
        Value = value;
        FieldRejection = fields.Rejection;
        TextRejection = fields.InvalidText;
        IgnoredFields = fields.IgnoredCount > 0 ? FieldMessages.Ignored(fields.Ignored, fields.IgnoredCount) : null;
        UnservedListeners = unservedListeners;
        Services = services;
        UsedServices = value is IGatewayRoute route ? WithUsedPorts(route, services) : [];
        Hostnames = HostnameClaims.OfObject(value);
    }

    /// <summary>The identity of the tenant's object.</summary>
    public RouteOrigin Origin { get; }

    /// <summary>
    /// A <see cref="Gateway"/>, <see cref="HttpRoute"/> or <see cref="GrpcRoute"/>, with the fields of its spec that have a decision in
    /// <see cref="FieldDecisions"/>. Shared: must not be modified.
    /// </summary>
    public ApiObject Value { get; }

    /// <summary>The Services that the object refers to, one entry each; none for a Gateway. Shared: must not be modified.</summary>
    public IReadOnlyList<RouteService> Services { get; }

    /// <summary>The Services with only the TCP ports that the object refers to. Shared: must not be modified.</summary>
    internal IReadOnlyList<RouteService> UsedServices { get; }

    /// <summary>The hostnames of the object (<see cref="HostnameClaims"/>).</summary>
    internal IReadOnlyList<string> Hostnames { get; }

    /// <summary>Why a text rejects the object; null if none does.</summary>
    internal Rejection? TextRejection { get; }

    /// <summary>Why a field rejects the object; null if none does. A Gateway can be served without the field.</summary>
    internal Rejection? FieldRejection { get; }

    /// <summary>A message that lists the fields that are ignored; null if there are none.</summary>
    internal string? IgnoredFields { get; }

    /// <summary>The indexes of a Gateway's listeners that are not served, because they would require client certificates.</summary>
    internal IReadOnlySet<int> UnservedListeners { get; }

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

    private static List<RouteService> WithUsedPorts(IGatewayRoute route, IReadOnlyList<RouteService> services)
    {
        var used = BackendReferences.PortsByService(route);
        return
        [
            .. services.Select(service =>
            {
                var (@namespace, name) = SourceServices.OriginOf(service);
                var ports = used[(@namespace, name)].ToHashSet();
                return new RouteService
                {
                    Metadata = service.Metadata,
                    Spec = new RouteServiceSpec
                    {
                        Ports = [.. (service.Spec?.Ports ?? []).Where(port => SourceServices.IsTcp(port) && ports.Contains(port.Port))],
                    },
                };
            }),
        ];
    }

    private static Content ContentOf(RouteSpecJson spec) => Contents.GetValue(spec.Content, _ => new Content(spec));

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
                var json = WithoutNulls(resource);
                var unservedListeners = origin.Kind == Gateway.KindName ? FrontendValidation.ListenersOf(json["spec"]) : new HashSet<int>();
                var fields = FieldFilter.Apply(FieldDecisions.Of(origin.Kind), json["spec"]);
                json["spec"] = fields.Spec;
                var value = Read(origin.Kind, json);
                part = "spec.source.kubernetes.services";
                var services = value is IGatewayRoute ? ServicesIn(kubernetes["services"]) : [];
                problem = services.Select(ServiceGenerator.Problem).FirstOrDefault(p => p is not null);
                return problem is null
                    ? (new SourceObject(origin, value, fields, unservedListeners, ReferencedBy(value, services)), null)
                    : (null, problem);
            }
            catch (Exception e) when (IsCausedByContent(e))
            {
                return (null, Invalid(part, JsonProblem.Describe(e)));
            }
        }

        // A Route may have Services that no backendRef or mirror names; nothing is generated for them. If a Service has several entries,
        // the first one is used.
        private static List<RouteService> ReferencedBy(ApiObject value, List<RouteService> services)
        {
            if (value is not IGatewayRoute route)
            {
                return [];
            }

            var referenced = BackendReferences.ServicesOf(route).ToHashSet();
            return [.. services.Where(s => referenced.Contains(SourceServices.OriginOf(s))).DistinctBy(SourceServices.OriginOf)];
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
