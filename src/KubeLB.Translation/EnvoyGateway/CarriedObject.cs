using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Routes;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>
/// The tenant's object inside a Route, read as what it claims to be. Everything in it is the tenant's word: a Route that
/// says anything but a Gateway API object of a known kind is refused with a sentence that says what to change.
/// </summary>
public sealed partial class CarriedObject
{
    private static readonly string[] Kinds = [Gateway.KindName, HttpRoute.KindName, GrpcRoute.KindName];

    private CarriedObject(RouteOrigin origin, ApiObject value)
    {
        Origin = origin;
        Value = value;
    }

    /// <summary>Kind, namespace and name of the tenant's object.</summary>
    public RouteOrigin Origin { get; }

    /// <summary>The object: a <see cref="Gateway"/>, <see cref="HttpRoute"/> or <see cref="GrpcRoute"/>.</summary>
    public ApiObject Value { get; }

    /// <summary>Reads the object.</summary>
    /// <returns>The object, or the sentence that says what is wrong with it.</returns>
    public static (CarriedObject? Source, string? Problem) Read(Route route)
    {
        if (TenantNames.TenantOf(route.Namespace) is null)
        {
            return (null, $"Routes belong into a tenant's namespace (tenant-<name>), not into {route.Namespace}.");
        }

        if (route.Unreadable is { } why)
        {
            return (null, $"The Route's spec cannot be read; correct the field that is named here, or delete the Route and its CCM writes it anew: {why}");
        }

        if (RouteOrigin.Of(route) is not { } origin)
        {
            return (null, "spec.source.kubernetes.resource must be an object with apiVersion, kind and metadata.name.");
        }

        if (origin.ApiVersion != GatewayApiVersion.ApiVersion || !Kinds.Contains(origin.Kind))
        {
            return (null, $"{origin.Kind} of {origin.ApiVersion} is not supported; supported are {string.Join(", ", Kinds)} of {GatewayApiVersion.ApiVersion}.");
        }

        if (!DnsLabel().IsMatch(origin.Namespace))
        {
            return (null, $"metadata.namespace \"{origin.Namespace}\" of the {origin.Kind} is not a DNS-1123 label.");
        }

        if (origin.Name.Length > 253 || !DnsSubdomain().IsMatch(origin.Name))
        {
            return (null, $"metadata.name \"{origin.Name}\" of the {origin.Kind} is not a DNS-1123 subdomain.");
        }

        try
        {
            return (new CarriedObject(origin, Read(origin.Kind, WithoutNulls(route.Spec!.Source!.Kubernetes!.Resource!))), null);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or NotSupportedException)
        {
            return (null, $"The {origin.Kind} does not have the shape of {origin.ApiVersion}: {e.Message}");
        }
    }

    private static ApiObject Read(string kind, JsonObject json) => kind switch
    {
        Gateway.KindName => ApiJson.Read<Gateway>(json),
        HttpRoute.KindName => ApiJson.Read<HttpRoute>(json),
        _ => ApiJson.Read<GrpcRoute>(json),
    };

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

    private static JsonNode WithoutNulls(JsonNode node) => node switch
    {
        JsonObject json => WithoutNulls(json),
        JsonArray array => new JsonArray([.. array.Select(e => WithoutNulls(e ?? throw new JsonException("a list holds null.")))]),
        _ => node.DeepClone(),
    };

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex DnsLabel();

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex DnsSubdomain();
}
