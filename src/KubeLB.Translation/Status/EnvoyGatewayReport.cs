using System.Text.Json;
using System.Text.Json.Nodes;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;

namespace KubeLB.Translation.Status;

/// <summary>What is found of something.</summary>
/// <param name="Status">True, False or Unknown.</param>
/// <param name="Reason">Why, for machines.</param>
/// <param name="Message">Why, for people.</param>
internal sealed record Finding(string Status, string Reason, string Message)
{
    public static Finding Of(Condition condition) => new(condition.Status, condition.Reason, condition.Message);
}

/// <summary>
/// What Envoy Gateway reports of a generated object as it is now; what it reported of an older generation does not count.
/// </summary>
/// <param name="Accepted">Whether it takes it; null if it has not said.</param>
/// <param name="Programmed">Whether it serves it; null if it has not said.</param>
internal sealed record EnvoyGatewayReport(Finding? Accepted, Finding? Programmed)
{
    private static readonly EnvoyGatewayReport None = new(null, null);

    /// <summary>Reads the report.</summary>
    /// <param name="kind">Kind of the generated object; null if there is none.</param>
    /// <param name="generated">What became of it; null if there is none.</param>
    public static EnvoyGatewayReport Of(string? kind, AppliedObject? generated) =>
        generated is { Generation: { } generation, Status: { } status } ? Of(kind, status, generation) : None;

    /// <summary>Reads the report from the status of a generated object.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="status">Its status.</param>
    /// <param name="generation">Its generation.</param>
    public static EnvoyGatewayReport Of(string? kind, JsonObject status, long generation)
    {
        try
        {
            return kind == Gateway.KindName
                ? OfGateway(ApiJson.Read<GatewayStatus>(status), generation)
                : OfRoute(ApiJson.Read<RouteParentsStatus>(status), generation);
        }
        catch (JsonException)
        {
            // Not the shape of Gateway API: nothing that could be reported on.
            return None;
        }
    }

    private static EnvoyGatewayReport OfGateway(GatewayStatus status, long generation) =>
        new(
            Find(status.Conditions, GatewayConditions.Accepted, generation) is { } accepted ? Finding.Of(accepted) : null,
            Find(status.Conditions, GatewayConditions.Programmed, generation) is { } programmed ? Finding.Of(programmed) : null
        );

    // Accepted if any parent does; programmed if the references resolve wherever it is accepted.
    private static EnvoyGatewayReport OfRoute(RouteParentsStatus status, long generation)
    {
        var parents = (status.Parents ?? [])
            .Select(p =>
                (
                    Accepted: Find(p.Conditions, GatewayConditions.Accepted, generation),
                    Resolved: Find(p.Conditions, GatewayConditions.ResolvedRefs, generation)
                )
            )
            .Where(p => p.Accepted is not null)
            .ToList();
        if (parents.Count == 0)
        {
            return None;
        }

        var attached = parents.Where(p => p.Accepted!.IsTrue).ToList();
        if (attached.Count == 0)
        {
            var refusal = Finding.Of(parents[0].Accepted!);
            return new EnvoyGatewayReport(refusal, refusal);
        }

        var accepted = Finding.Of(attached[0].Accepted!);
        var unresolved = attached.Select(p => p.Resolved).FirstOrDefault(r => r is not { IsTrue: true });
        return attached.TrueForAll(p => p.Resolved is { IsTrue: true })
            ? new EnvoyGatewayReport(
                accepted,
                new Finding(ConditionStatus.True, GatewayConditions.Programmed, "Envoy Gateway accepts it with all its references.")
            )
            : new EnvoyGatewayReport(accepted, unresolved is null ? null : Finding.Of(unresolved));
    }

    private static Condition? Find(IEnumerable<Condition>? conditions, string type, long generation) =>
        conditions?.FirstOrDefault(c => c.Type == type && c.ObservedGeneration >= generation);
}
