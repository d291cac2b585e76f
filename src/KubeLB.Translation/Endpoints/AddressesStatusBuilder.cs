using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Status;

namespace KubeLB.Translation.Endpoints;

/// <summary>The status of Addresses: which addresses are not used, and why.</summary>
public static class AddressesStatusBuilder
{
    private const int MaxListed = 10;

    /// <summary>Builds the status.</summary>
    /// <param name="addresses">The object with its current status.</param>
    /// <param name="results">The results for its addresses.</param>
    /// <param name="excess">By how much the limit of endpoints is exceeded; null if it is not.</param>
    /// <param name="now">Time for transitions, RFC 3339 in UTC.</param>
    public static AddressesStatus Build(Addresses addresses, IReadOnlyList<EndpointResult> results, EndpointExcess? excess, string now)
    {
        var rejected = results.Where(v => v.Problem is not null).ToList();
        var used = results.Count - rejected.Count;
        var (isTrue, reason, message) =
            addresses.Name != Addresses.DefaultName ? (false, AddressesConditions.NotUsed, AddressMessages.NotUsed)
            : excess is not null
                ? (
                    false,
                    AddressesConditions.EndpointLimitExceeded,
                    excess.Message + (rejected.Count == 0 ? "" : $" {Message(rejected, used)}")
                )
            : rejected.Count == 0 && used == 0 ? (false, AddressesConditions.NoAddresses, AddressMessages.NoAddresses)
            : used == 0 ? (false, AddressesConditions.NoAddresses, Message(rejected, used))
            : rejected.Count == 0 ? (true, AddressesConditions.Accepted, Used(used))
            : (false, AddressesConditions.AddressesRejected, Message(rejected, used));
        var generation = addresses.Metadata.Generation;
        return new AddressesStatus
        {
            ObservedGeneration = generation,
            Conditions = new ConditionSet(addresses.Status?.Conditions, now)
                .Set(AddressesConditions.Accepted, ConditionStatus.Of(isTrue), reason, message, generation)
                .ToList(),
        };
    }

    private static string Used(int count) => count == 1 ? AddressMessages.OneUsed : AddressMessages.AllUsed(count);

    private static string Message(List<EndpointResult> rejected, int used)
    {
        var problems = rejected.Take(MaxListed).Select(v => AddressMessages.AddressRejected(v.Address, v.Problem!));
        var more = rejected.Count - MaxListed;
        return AddressMessages.SomeRejected(
            rejected.Count,
            used,
            more > 0 ? problems.Append(AddressMessages.MoreRejected(more)) : problems
        );
    }
}

/// <summary>A tenant has more endpoints (addresses times node ports) than its proxies may have.</summary>
/// <param name="Addresses">Number of addresses of each node port.</param>
/// <param name="NodePorts">Number of node ports.</param>
/// <param name="NotServed">Number of node ports without endpoints. These are the highest node ports.</param>
/// <param name="From">The lowest node port without endpoints.</param>
/// <param name="Megabytes">The limit of a tenant's endpoints in MB.</param>
public sealed record EndpointExcess(int Addresses, int NodePorts, int NotServed, int From, int Megabytes)
{
    /// <summary>The message of the condition.</summary>
    public string Message => AddressMessages.EndpointLimitExceeded(NotServed, NodePorts, From, Addresses, Megabytes);
}
