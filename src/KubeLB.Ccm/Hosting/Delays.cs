namespace KubeLB.Ccm.Hosting;

/// <summary>How long the CCM delays what it does, all in one place. docs/delays.md has the same table, with the reasons.</summary>
internal static class Delays
{
    /// <summary>How long a new route may be without a status. API servers tell whole seconds of its creation.</summary>
    public static readonly TimeSpan FirstStatus = TimeSpan.FromSeconds(2);

    /// <summary>How long a node-port Service that no route uses stays after the manager has rewritten what leads to it.</summary>
    public static readonly TimeSpan NodePortDrain = TimeSpan.FromSeconds(15);

    /// <summary>How long it stays while the manager, or Envoy Gateway behind it, does not answer.</summary>
    public static readonly TimeSpan NodePortDrainWithoutAnswer = TimeSpan.FromMinutes(10);

    /// <summary>Between looks for a kind of Gateway API that is not served.</summary>
    public static readonly TimeSpan MissingKind = TimeSpan.FromSeconds(2);

    /// <summary>How long a CCM that was rejected leaves a tenant without a recorded cluster to the CCM that it was bound to.</summary>
    public static readonly TimeSpan Claim = TimeSpan.FromSeconds(5);

    /// <summary>Between two reports of the CCM in annotations of Addresses, give or take a tenth.</summary>
    public static readonly TimeSpan Report = TimeSpan.FromMinutes(5);
}
