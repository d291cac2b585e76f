using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Conditions;

namespace KubeLB.Translation.Endpoints;

/// <summary>The status of Addresses: which addresses are not used, and why.</summary>
public static class AddressesStatusBuilder
{
    private const int Named = 10;

    /// <summary>Builds the status.</summary>
    /// <param name="addresses">The object with its status as it stands.</param>
    /// <param name="verdicts">What became of its addresses.</param>
    /// <param name="excess">What exceeds the limit of endpoints; null if nothing does.</param>
    /// <param name="now">Time for transitions, RFC 3339 in UTC.</param>
    public static AddressesStatus Build(Addresses addresses, IReadOnlyList<EndpointVerdict> verdicts, EndpointExcess? excess, string now)
    {
        var refused = verdicts.Where(v => v.Problem is not null).ToList();
        var used = verdicts.Count - refused.Count;
        var (isTrue, reason, message) =
            addresses.Name != Addresses.DefaultName
                ? (false, AddressesConditions.NotUsed, $"Only the object named {Addresses.DefaultName} is used; delete this one.")
            : excess is not null
                ? (
                    false,
                    AddressesConditions.EndpointLimitExceeded,
                    excess.Message + (refused.Count == 0 ? "" : $" {Message(refused, used)}")
                )
            : refused.Count == 0
                ? (true, AddressesConditions.Accepted, used == 1 ? "The address is used" : $"All {used} addresses are used")
            : (false, AddressesConditions.AddressesRefused, Message(refused, used));
        var generation = addresses.Metadata.Generation;
        return new AddressesStatus
        {
            ObservedGeneration = generation,
            Conditions = new ConditionSet(addresses.Status?.Conditions, now)
                .Set(AddressesConditions.Accepted, ConditionStatus.Of(isTrue), reason, message, generation)
                .ToList(),
        };
    }

    private static string Message(List<EndpointVerdict> refused, int used)
    {
        var named = string.Join(" ", refused.Take(Named).Select(v => $"{v.Address}: {v.Problem}"));
        return $"{refused.Count} refused, {used} used. {named}{(refused.Count > Named ? $" And {refused.Count - Named} others." : "")}";
    }
}
