using System.Text.Json;
using System.Text.Json.Nodes;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Translation.EnvoyGateway;

namespace KubeLB.Translation.Status;

/// <summary>
/// Reports the listeners that the manager does not serve in the status of the generated Gateway. Envoy Gateway does not know them, or
/// reports them as served because one of them keeps the Gateway's address.
/// </summary>
internal static class UnservedListeners
{
    /// <summary>Replaces the entries of the listeners.</summary>
    /// <param name="listeners">The listeners.</param>
    /// <param name="status">The status of the generated Gateway; null if there is none yet.</param>
    /// <param name="before">The status that the Route has; null if there is none.</param>
    /// <param name="generation">The generation of the generated Gateway.</param>
    /// <param name="now">Time for transitions, RFC 3339 in UTC.</param>
    public static JsonObject? AddTo(
        IReadOnlyList<UnservedListener> listeners,
        JsonObject? status,
        JsonObject? before,
        long? generation,
        string now
    )
    {
        if (listeners.Count == 0 || Read(status) is not { } gateway)
        {
            return status;
        }

        var previous = Read(before)?.Listeners;
        gateway.Listeners =
        [
            .. (gateway.Listeners ?? []).Where(served => listeners.All(l => l.Name != served.Name)),
            .. listeners.Select(listener => Status(listener, previous?.Find(l => l.Name == listener.Name), generation, now)),
        ];
        return ApiJson.ToJson(gateway);
    }

    private static ListenerStatus Status(UnservedListener listener, ListenerStatus? before, long? generation, string now)
    {
        var conditions = new ConditionSet(before?.Conditions, now);
        foreach (var type in new[] { GatewayConditions.Accepted, GatewayConditions.Programmed })
        {
            conditions.Set(type, ConditionStatus.False, listener.Rejection.Reason, listener.Rejection.Message, generation);
        }

        return new ListenerStatus
        {
            Name = listener.Name,
            SupportedKinds = [],
            AttachedRoutes = 0,
            Conditions = conditions.ToList(),
        };
    }

    private static GatewayStatus? Read(JsonObject? status)
    {
        try
        {
            return status is null ? null : ApiJson.Read<GatewayStatus>(status);
        }
        catch (JsonException)
        {
            // Not a valid status of Gateway API; it is reported as it is.
            return null;
        }
    }
}
