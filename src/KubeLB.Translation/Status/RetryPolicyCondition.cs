using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using KubeLB.Api;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Conditions;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.EnvoyGateway.Retries;

namespace KubeLB.Translation.Status;

/// <summary>
/// Says in a Route's status what became of the retry annotations: <see cref="RouteConditions.RetryPolicyApplied"/> beside the other
/// conditions of the generated route. True only when Envoy Gateway has accepted the very policy that the annotations ask for.
/// </summary>
public static class RetryPolicyCondition
{
    private const string NoRetries = "No retry policy is in force until this is corrected.";

    /// <summary>Adds the condition to a status that was just built; removes it where no retries are asked for.</summary>
    /// <param name="status">The status as <see cref="RouteStatusBuilder"/> built it; changed here.</param>
    /// <param name="route">The Route, with its status as it stands.</param>
    /// <param name="translation">What it came to.</param>
    /// <param name="policy">What became of the policy; null if none was to be written.</param>
    /// <param name="now">Time for transitions, RFC 3339 in UTC.</param>
    public static void Set(RouteStatus status, Route route, EnvoyGatewayTranslation translation, AppliedObject? policy, string now)
    {
        if (status.Resources?.Route is not { } generated)
        {
            return;
        }

        var before = route.Status?.Resources?.Route?.Conditions;
        var conditions = new ConditionSet(before, now).SetAll(
            (generated.Conditions ?? []).Where(c => c.Type != RouteConditions.RetryPolicyApplied)
        );
        if (translation.Generated is null && !translation.IsRefused)
        {
            // What was generated before stands, and so does its policy.
            conditions.Keep(RouteConditions.RetryPolicyApplied);
        }
        else if (translation.Retries is { } plan)
        {
            var (value, reason, message) = Of(plan, policy);
            conditions.Set(RouteConditions.RetryPolicyApplied, value, reason, message, RouteStatusBuilder.SourceGeneration(route));
        }

        generated.Conditions = conditions.ToList();
    }

    private static (string Status, string Reason, string Message) Of(RetryPlan plan, AppliedObject? policy)
    {
        if (plan.Problem is { } problem)
        {
            return (ConditionStatus.False, RouteConditions.InvalidAnnotation, $"{problem} {NoRetries}");
        }

        if (policy?.Error is { } error)
        {
            return (ConditionStatus.False, RouteConditions.InstallationFailed, error);
        }

        // A generation of before says nothing of the policy as it is now.
        var reported = Reported(policy?.Status).ToList();
        if (reported.Find(c => c.Status == ConditionStatus.False && IsCurrent(c, policy)) is { } refused)
        {
            return (ConditionStatus.False, refused.Reason, $"Envoy Gateway does not accept the retry policy: {refused.Message}");
        }

        return reported.Count > 0 && reported.TrueForAll(c => c.IsTrue && IsCurrent(c, policy))
            ? (ConditionStatus.True, GatewayConditions.Accepted, $"In force: {Describe(plan.Policy!.Spec!.Retry!)}.")
            : (ConditionStatus.Unknown, GatewayConditions.Pending, "Waiting for Envoy Gateway to accept the retry policy.");
    }

    private static bool IsCurrent(Condition reported, AppliedObject? policy) => reported.ObservedGeneration >= (policy?.Generation ?? 0);

    private static IEnumerable<Condition> Reported(JsonObject? status)
    {
        try
        {
            return status is null
                ? []
                : (ApiJson.Read<PolicyStatus>(status).Ancestors ?? [])
                    .SelectMany(a => a.Conditions)
                    .Where(c => c.Type == GatewayConditions.Accepted);
        }
        catch (JsonException)
        {
            // Not the shape of a policy's status: nothing that could be reported on.
            return [];
        }
    }

    // Annotations have no generation: that the words are those of the annotations shows that the status is of these.
    private static string Describe(RetryPolicy retry)
    {
        var parts = new List<string>
        {
            retry.NumRetries is { } number
                ? $"up to {number.ToString(CultureInfo.InvariantCulture)} retries"
                : "up to 2 retries (Envoy Gateway's default)",
            retry.RetryOn?.Triggers is { } triggers ? $"on {string.Join(", ", triggers)}" : "on what Envoy Gateway retries by default",
        };
        if (retry.RetryOn?.HttpStatusCodes is { } codes)
        {
            parts.Add($"({string.Join(", ", codes)})");
        }

        var text = string.Join(" ", parts);
        text += retry.PerRetry?.Timeout is { } timeout ? $", each attempt within {timeout}" : "";
        text += retry.PerRetry?.BackOff?.BaseInterval is { } first ? $", pauses from {first}" : "";
        return text + (retry.PerRetry?.BackOff?.MaxInterval is { } longest ? $" to {longest}" : "");
    }
}
