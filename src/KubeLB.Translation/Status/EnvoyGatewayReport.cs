using System.Text.Json;
using System.Text.Json.Nodes;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.Status;

/// <summary>Status, reason and message of a condition.</summary>
/// <param name="Status">True, False or Unknown.</param>
/// <param name="Reason">The reason.</param>
/// <param name="Message">The message.</param>
internal sealed record ConditionValue(string Status, string Reason, string Message)
{
    public static ConditionValue Of(Condition condition) => new(condition.Status, condition.Reason, condition.Message);
}

/// <summary>
/// Envoy Gateway's report on the current generation of a generated object; reports on older generations are ignored.
/// </summary>
/// <param name="Accepted">Whether Envoy Gateway accepted the object; null if it has not reported.</param>
/// <param name="Programmed">Whether Envoy Gateway programmed the object; null if it has not reported.</param>
internal sealed record EnvoyGatewayReport(ConditionValue? Accepted, ConditionValue? Programmed)
{
    private static readonly EnvoyGatewayReport None = new(null, null);

    /// <summary>Reads the report.</summary>
    /// <param name="kind">Kind of the generated object; null if there is none.</param>
    /// <param name="generated">The generated object as applied; null if there is none.</param>
    public static EnvoyGatewayReport Read(string? kind, AppliedObject? generated) =>
        generated is { Generation: { } generation, Status: { } status } ? Read(kind, status, generation) : None;

    /// <summary>Reads the report from the status of a generated object.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="status">Its status.</param>
    /// <param name="generation">Its generation.</param>
    public static EnvoyGatewayReport Read(string? kind, JsonObject status, long generation)
    {
        try
        {
            return kind == Gateway.KindName
                ? OfGateway(ApiJson.Read<GatewayStatus>(status), generation)
                : OfRoute(ApiJson.Read<RouteParentsStatus>(status), generation);
        }
        catch (JsonException)
        {
            // Not a valid status of Gateway API; it is ignored.
            return None;
        }
    }

    /// <summary>The conditions Accepted of a status, of all generations.</summary>
    public static IEnumerable<Condition> AcceptedConditions(string? kind, JsonObject? status)
    {
        try
        {
            var conditions =
                status is null ? []
                : kind == Gateway.KindName ? ApiJson.Read<GatewayStatus>(status).Conditions ?? []
                : (ApiJson.Read<RouteParentsStatus>(status).Parents ?? []).SelectMany(p => p.Conditions);
            return conditions.Where(c => c.Type == GatewayConditions.Accepted);
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private static EnvoyGatewayReport OfGateway(GatewayStatus status, long generation) =>
        new(
            Find(status.Conditions, GatewayConditions.Accepted, generation) is { } accepted ? ConditionValue.Of(accepted) : null,
            Find(status.Conditions, GatewayConditions.Programmed, generation) is { } programmed ? ConditionValue.Of(programmed) : null
        );

    // Accepted if any parent accepts it; programmed if the references are resolved for all parents that accept it.
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
            var rejection = ConditionValue.Of(parents[0].Accepted!);
            return new EnvoyGatewayReport(rejection, rejection);
        }

        var accepted = ConditionValue.Of(attached[0].Accepted!);
        var unresolved = attached.Select(p => p.Resolved).FirstOrDefault(r => r is not { IsTrue: true });
        return attached.TrueForAll(p => p.Resolved is { IsTrue: true })
            ? new EnvoyGatewayReport(
                accepted,
                new ConditionValue(ConditionStatus.True, GatewayConditions.Programmed, RouteMessages.EnvoyGatewayAccepted)
            )
            : new EnvoyGatewayReport(accepted, unresolved is null ? null : ConditionValue.Of(unresolved));
    }

    private static Condition? Find(IEnumerable<Condition>? conditions, string type, long generation) =>
        conditions?.FirstOrDefault(c => c.Type == type && c.ObservedGeneration >= generation);
}

/// <summary>A generated object after it was applied.</summary>
/// <param name="Generation">Its generation; null for kinds without one, or if it could not be written.</param>
/// <param name="Status">Its status; null if it has none.</param>
/// <param name="Error">Why it could not be written, for the tenant; null if it could.</param>
public sealed record AppliedObject(long? Generation, JsonObject? Status, string? Error)
{
    /// <summary>Whether it was created.</summary>
    public bool IsCreated { get; init; }

    /// <summary>Whether it was created or changed.</summary>
    public bool IsWritten { get; init; }

    /// <summary>Whether an external change to it was reverted.</summary>
    public bool IsRepaired { get; init; }

    /// <summary>The reason of the condition that reports <see cref="Error"/>.</summary>
    public string Reason { get; private init; } = RouteConditions.InstallationFailed;

    /// <summary>Whether a retry may succeed without a change of the tenant's objects.</summary>
    public bool IsRetryable { get; private init; }

    /// <summary>
    /// The object with the status of further routes that were generated from the same Route: their parents, with generations that compare
    /// with that of this object as with their own. An error of one is that of all.
    /// </summary>
    public AppliedObject With(IReadOnlyList<AppliedObject> further)
    {
        ArgumentNullException.ThrowIfNull(further);
        if (Error is not null || further.Count == 0)
        {
            return this;
        }

        if (further.FirstOrDefault(f => f.Error is not null) is { } failed)
        {
            return failed;
        }

        try
        {
            var status = ApiJson.Read<RouteParentsStatus>(Status ?? []);
            status.Parents = [.. status.Parents ?? [], .. further.SelectMany(ParentsOf)];
            return this with { Status = ApiJson.ToJson(status), IsWritten = IsWritten || further.Any(f => f.IsWritten) };
        }
        catch (JsonException)
        {
            // Not a valid status of Gateway API; it is ignored.
            return this;
        }
    }

    private IEnumerable<RouteParentStatus> ParentsOf(AppliedObject further)
    {
        var parents = ApiJson.Read<RouteParentsStatus>(further.Status ?? []).Parents ?? [];
        foreach (var condition in parents.SelectMany(p => p.Conditions))
        {
            condition.ObservedGeneration = condition.ObservedGeneration >= further.Generation ? Generation : Generation - 1;
        }

        return parents;
    }

    /// <summary>It could not be written.</summary>
    /// <param name="error">Why, for the tenant.</param>
    /// <param name="reason">The reason of the condition.</param>
    /// <param name="isRetryable">Whether a retry may succeed without a change of the tenant's objects.</param>
    public static AppliedObject Failed(string error, string reason = RouteConditions.InstallationFailed, bool isRetryable = false) =>
        new(null, null, error) { Reason = reason, IsRetryable = isRetryable };
}

/// <summary>Whether a Route's status must be written now, or can be combined with the next change.</summary>
public static class StatusWriteDecision
{
    /// <summary>
    /// Whether the status would only report that the generated object was written and that Envoy Gateway has not reported yet. The existing
    /// status stays valid until Envoy Gateway reports: its conditions have the generations that they were computed for.
    /// </summary>
    /// <param name="before">The existing status; null if there is none.</param>
    /// <param name="now">The new status.</param>
    public static bool AwaitsEnvoyGateway(RouteStatus? before, RouteStatus now)
    {
        ArgumentNullException.ThrowIfNull(now);
        var generated = now.Resources?.Route;
        return generated is { Generation: { } generation, Status: { } status }
            && !RouteStatusBuilder.Failures(now).Any()
            && EnvoyGatewayReport.Read(generated.Kind, status, generation).Accepted is null
            // Envoy Gateway does not report on a route without parents.
            && now.Conditions?.Exists(c => c.Reason == RouteConditions.NotAttached) != true
            // A new name is written immediately, because routes need the generated name of their Gateway.
            && (generated.Kind != Gateway.KindName || generated.GeneratedName == before?.Resources?.Route?.GeneratedName);
    }

    /// <summary>Whether only the numbers of attached routes of a Gateway's listeners differ.</summary>
    /// <param name="before">The existing status; null if there is none.</param>
    /// <param name="now">The new status.</param>
    public static bool DiffersOnlyInCounts(RouteStatus? before, RouteStatus now)
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

    /// <summary>The generation of a generated object that Envoy Gateway has reported on; null if it has not reported.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="generated">The generated object as applied.</param>
    public static long? ObservedGeneration(string? kind, AppliedObject generated)
    {
        ArgumentNullException.ThrowIfNull(generated);
        return EnvoyGatewayReport.AcceptedConditions(kind, generated.Status).Max(c => c.ObservedGeneration);
    }

    /// <summary>Whether Envoy Gateway has reported on the current generation of a generated object.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="generated">The generated object as applied.</param>
    public static bool HasReported(string? kind, AppliedObject generated) => EnvoyGatewayReport.Read(kind, generated).Accepted is not null;
}
