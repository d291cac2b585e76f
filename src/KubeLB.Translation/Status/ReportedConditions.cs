using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Conditions;

namespace KubeLB.Translation.Status;

/// <summary>Carries reported conditions into a tenant's status.</summary>
internal static class ReportedConditions
{
    public const string WaitingMessage = "Waiting for the management cluster to report.";

    /// <summary>
    /// Sets the condition as reported if it speaks of a known generation; otherwise the one that stands is kept, and where
    /// there is none the condition is Unknown.
    /// </summary>
    public static void Carry(this ConditionSet conditions, Condition reported, ReportedStatus report, long currentGeneration)
    {
        if (report.SourceGenerationOf(reported) is { } generation)
        {
            conditions.Set(reported.Type, reported.Status, reported.Reason, reported.Message, generation);
        }
        else
        {
            conditions.KeepOrPending(reported.Type, currentGeneration);
        }
    }

    /// <summary>Keeps the condition that stands; where there is none, it is Unknown for the current generation.</summary>
    public static void KeepOrPending(this ConditionSet conditions, string type, long currentGeneration)
    {
        if (!conditions.Keep(type))
        {
            conditions.Set(type, ConditionStatus.Unknown, GatewayConditions.Pending, WaitingMessage, currentGeneration);
        }
    }
}
