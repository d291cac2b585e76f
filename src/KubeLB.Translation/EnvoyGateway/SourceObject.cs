using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Services;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>
/// The tenant's object inside a Route, with the Services behind it. The only place where a Route's spec is read: everything in it is the
/// tenant's word, and a Route that holds anything but a Gateway API object of a known kind is rejected with a sentence that says what to
/// change.
/// </summary>
public sealed partial class SourceObject
{
    private const int LongestDetail = 100;

    private static readonly string[] Kinds = [Gateway.KindName, HttpRoute.KindName, GrpcRoute.KindName];

    // Each version of a Route has a spec of its own, which never changes: indexes and the controller share what was read.
    private static readonly ConditionalWeakTable<RouteSpecJson, Content> Contents = [];

    private SourceObject(RouteOrigin origin, ApiObject value, JsonNode? spec, IReadOnlyList<RouteService> services)
    {
        Origin = origin;
        Value = value;
        Spec = spec;
        Services = services;
    }

    /// <summary>Kind, namespace and name of the tenant's object.</summary>
    public RouteOrigin Origin { get; }

    /// <summary>A <see cref="Gateway"/>, <see cref="HttpRoute"/> or <see cref="GrpcRoute"/>. Shared: not to be changed.</summary>
    public ApiObject Value { get; }

    /// <summary>The Services behind the object; none behind a Gateway. Shared: not to be changed.</summary>
    public IReadOnlyList<RouteService> Services { get; }

    /// <summary>The object's spec as the tenant wrote it.</summary>
    internal JsonNode? Spec { get; }

    /// <summary>Reads the object; once for each version of a Route.</summary>
    /// <returns>The object, or the sentence that says what is wrong with it.</returns>
    public static (SourceObject? Source, string? Problem) Read(Route route)
    {
        if (TenantNames.TenantOf(route.Namespace) is null)
        {
            return (null, $"Routes are only allowed in a tenant namespace (tenant-<name>); {route.Namespace} is not one.");
        }

        return route.Spec is null ? (null, Content.None) : ContentOf(route.Spec).Source.Value;
    }

    /// <summary>Which object it is, also where the rest cannot be read; null where the Route holds no object with kind and name.</summary>
    internal static RouteOrigin? OriginOf(Route route) => route.Spec is null ? null : ContentOf(route.Spec).Origin;

    private static Content ContentOf(RouteSpecJson spec) => Contents.GetValue(spec, static s => new Content(s));

    private sealed partial class Content
    {
        public const string None = "spec.source.kubernetes.resource must be an object with apiVersion, kind and metadata.name.";

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
            catch (Exception e) when (IsOfContent(e))
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
                if (root is JsonValue instead && instead.TryGetValue<string>(out var reason))
                {
                    return (null, Invalid(part, reason));
                }

                if (origin is null)
                {
                    return (null, None);
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
            catch (Exception e) when (IsOfContent(e))
            {
                var why = e is JsonException { Path: { } path } && path != "$" ? $"{path} has the wrong type" : e.Message;
                return (null, Invalid(part, why));
            }
        }

        private static string? ProblemOf(RouteOrigin origin)
        {
            if (origin.ApiVersion != GatewayApiVersion.ApiVersion || !Kinds.Contains(origin.Kind))
            {
                return $"{Short(origin.Kind)} of {Short(origin.ApiVersion)} is not supported; "
                    + $"supported are {string.Join(", ", Kinds)} of {GatewayApiVersion.ApiVersion}.";
            }

            if (!DnsLabel().IsMatch(origin.Namespace))
            {
                return $"metadata.namespace \"{Short(origin.Namespace)}\" of the {origin.Kind} is not a DNS-1123 label.";
            }

            return origin.Name.Length > 253 || !DnsSubdomain().IsMatch(origin.Name)
                ? $"metadata.name \"{Short(origin.Name)}\" of the {origin.Kind} is not a DNS-1123 subdomain."
                : null;
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

        // What content can cause; anything else is a fault of this program.
        private static bool IsOfContent(Exception e) =>
            e
                is JsonException
                    or FormatException
                    or InvalidOperationException
                    or NotSupportedException
                    or ArgumentException
                    or OverflowException;

        private static string Invalid(string part, string why) =>
            $"Invalid {part}: {Short(why.TrimEnd('.'))}. Correct it, or delete the Route and the CCM recreates it.";

        private static string Short(string text) => TextTruncation.Truncate(text, LongestDetail);

        private static JsonElement Field(JsonElement json, string name) =>
            json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var field) ? field : default;

        // JSON null means absent; a list cannot have an absent entry.
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
                JsonArray array => new JsonArray([.. array.Select(e => WithoutNulls(e ?? throw new JsonException("a list holds null")))]),
                _ => node.DeepClone(),
            };

        [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\z", RegexOptions.CultureInvariant)]
        private static partial Regex DnsLabel();

        [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z", RegexOptions.CultureInvariant)]
        private static partial Regex DnsSubdomain();
    }
}
