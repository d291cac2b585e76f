namespace KubeLB.Runtime.LeaderElection;

/// <summary>Whether this process may write. Without leader election it always leads while the host runs.</summary>
public interface ILeadership
{
    /// <summary>True while this process holds the lease.</summary>
    bool IsLeader { get; }

    /// <summary>Cancelled as soon as the present leadership ends; already cancelled while this process does not lead.</summary>
    CancellationToken LeadershipToken { get; }

    /// <summary>Completes when this process leads.</summary>
    Task WaitUntilLeadingAsync(CancellationToken cancellationToken);
}
