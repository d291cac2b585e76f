using System.Globalization;
using KubeLB.Api;

namespace KubeLB.Sandbox.EnvoyGateway.Statuses;

/// <summary>Turns findings into conditions.</summary>
internal static class Conditions
{
    /// <summary>Conditions with generation and time; the time moves only when a status changes.</summary>
    public static List<Condition> Of(
        IEnumerable<Finding> findings,
        IReadOnlyCollection<Condition>? before,
        long generation,
        DateTimeOffset now
    ) =>
        [
            .. findings.Select(f =>
            {
                var status = ConditionStatus.Of(f.Holds);
                var old = before?.FirstOrDefault(c => c.Type == f.Type);
                return new Condition
                {
                    Type = f.Type,
                    Status = status,
                    Reason = f.Reason,
                    Message = f.Message,
                    ObservedGeneration = generation,
                    LastTransitionTime =
                        old?.Status == status && old.LastTransitionTime is not null
                            ? old.LastTransitionTime
                            : now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
                };
            }),
        ];
}
