using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Inspection.Tracing;

/// <summary>What to trace: an object of the tenant's, or a Route of the management cluster.</summary>
/// <param name="Kind">HTTPRoute, GRPCRoute, Gateway, Service or Route.</param>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Name">Its name.</param>
public sealed record TraceTarget(string Kind, string Namespace, string Name)
{
    private static readonly Dictionary<string, string> Kinds = new(StringComparer.OrdinalIgnoreCase)
    {
        ["httproute"] = HttpRoute.KindName,
        ["httproutes"] = HttpRoute.KindName,
        ["grpcroute"] = GrpcRoute.KindName,
        ["grpcroutes"] = GrpcRoute.KindName,
        ["gateway"] = Gateway.KindName,
        ["gateways"] = Gateway.KindName,
        ["gtw"] = Gateway.KindName,
        ["service"] = "Service",
        ["services"] = "Service",
        ["svc"] = "Service",
        ["route"] = Route.KindName,
        ["routes"] = Route.KindName,
    };

    /// <summary>The kinds for help and completion.</summary>
    public static IReadOnlyList<string> KindNames { get; } = ["httproute", "grpcroute", "gateway", "service", "route"];

    /// <summary>Parses <c>kind/name</c>; a group after the kind (<c>httproute.gateway.networking.k8s.io/x</c>) is ignored.</summary>
    /// <param name="text">The text.</param>
    /// <param name="namespace">The namespace.</param>
    /// <param name="problem">What to change, if the result is null.</param>
    public static TraceTarget? Parse(string text, string @namespace, out string problem)
    {
        ArgumentNullException.ThrowIfNull(text);
        problem = "";
        var parts = text.Split('/');
        if (parts is not [var kind, { Length: > 0 } name])
        {
            problem = $"Invalid object \"{text}\"; write KIND/NAME, for example httproute/my-route, or a URL.";
            return null;
        }

        kind = kind.Split('.')[0];
        if (Kinds.TryGetValue(kind, out var found))
        {
            return new TraceTarget(found, @namespace, name);
        }

        var meant = Translation.Matching.Misspellings.Nearest(kind, Kinds.Keys);
        problem = $"Unknown kind \"{kind}\"; " + (meant is null ? $"use one of {string.Join(", ", KindNames)}." : $"did you mean {meant}?");
        return null;
    }
}
