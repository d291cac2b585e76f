using System.Text.Json.Nodes;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Routes;

/// <summary>A tenant's HTTPRoute or GRPCRoute → the Route that carries it.</summary>
public static class RouteTranslator
{
    /// <summary>Evaluates parents, then backends, then wraps what is left.</summary>
    public static RouteTranslation Translate(IGatewayRoute route, ITenantView view, TenantSettings settings)
    {
        var parents = RouteAttachment.Evaluate(route, view, settings);
        var backends = BackendResolution.Of(route, view, settings);
        return new RouteTranslation(parents, backends, Wrap(route, parents, backends, settings));
    }

    private static Route? Wrap(
        IGatewayRoute route,
        IReadOnlyList<ParentVerdict> parents,
        BackendResolution backends,
        TenantSettings settings
    )
    {
        var pinned = parents.SelectMany(p => p.Pinned).ToList();
        if (pinned.Count == 0)
        {
            return null;
        }

        var spec = ApiJson.ToJson(route)["spec"]!.DeepClone().AsObject();
        spec["parentRefs"] = new JsonArray([.. pinned.Select(JsonNode (p) => ApiJson.ToJson(p))]);
        return SourceResource.Wrap(route, spec, backends.Services, settings.TenantNamespace);
    }
}
