using System.Text.Json.Nodes;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Status;

/// <summary>Whether a Route's status is worth a request now, or can wait for what is about to follow.</summary>
public static class StatusWriteDecision
{
    /// <summary>
    /// Whether the status would only say that the generated object was written and that Envoy Gateway's answer is awaited. Until it
    /// comes, what stands stays true: it names the generations that it speaks of.
    /// </summary>
    /// <param name="before">The status as it stands; null if there is none.</param>
    /// <param name="now">The status as it would be written.</param>
    public static bool AwaitsAnswer(RouteStatus? before, RouteStatus now)
    {
        ArgumentNullException.ThrowIfNull(now);
        var generated = now.Resources?.Route;
        return generated is { Generation: { } generation, Status: { } status }
            && !RouteStatusBuilder.Failures(now).Any()
            && EnvoyGatewayReport.Of(generated.Kind, status, generation).Accepted is null
            // Routes wait for the name of their Gateway.
            && (generated.Kind != Gateway.KindName || generated.GeneratedName == before?.Resources?.Route?.GeneratedName);
    }

    /// <summary>Whether nothing differs but how many routes are attached to a Gateway's listeners.</summary>
    /// <param name="before">The status as it stands; null if there is none.</param>
    /// <param name="now">The status as it would be written.</param>
    public static bool CountsOnly(RouteStatus? before, RouteStatus now)
    {
        ArgumentNullException.ThrowIfNull(now);
        if (before is null || now.Resources?.Route?.Kind != Gateway.KindName)
        {
            return false;
        }

        var (old, desired) = (ApiJson.ToJson(before), ApiJson.ToJson(now));
        return !JsonNode.DeepEquals(old, desired) && JsonNode.DeepEquals(WithoutCounts(old), WithoutCounts(desired));
    }

    private static JsonObject WithoutCounts(JsonObject status)
    {
        foreach (var listener in (status["resources"]?["route"]?["status"]?["listeners"] as JsonArray ?? []).OfType<JsonObject>())
        {
            listener.Remove("attachedRoutes");
        }

        return status;
    }

    /// <summary>Whether Envoy Gateway has said something of a generated object as it is now.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="generated">What became of it.</param>
    public static bool HasAnswered(string? kind, AppliedObject generated) => EnvoyGatewayReport.Of(kind, generated).Accepted is not null;
}
