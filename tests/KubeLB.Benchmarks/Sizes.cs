namespace KubeLB.Benchmarks;

/// <summary>How much is done.</summary>
/// <param name="Runs">How often a timed measurement is repeated; the best counts.</param>
/// <param name="Creates">Creates in one run.</param>
/// <param name="Changes">Changes that a watch is to deliver.</param>
/// <param name="Held">Objects held in memory.</param>
/// <param name="Routes">Numbers of routes already there when requests are counted.</param>
/// <param name="Timed">Routes whose way to the generated HTTPRoute is timed.</param>
/// <param name="Flood">Routes of one tenant while another's are timed.</param>
internal sealed record Sizes(int Runs, int Creates, int Changes, int Held, IReadOnlyList<int> Routes, int Timed, int Flood)
{
    public static Sizes Full { get; } = new(5, 20_000, 10_000, 50_000, [10, 1_000], 25, 10_000);

    public static Sizes Quick { get; } =
        new(1, 4_000, 2_000, 5_000, [10, 100], 5, 1_000)
        {
            XdsClusters = [100, 1_000],
            XdsChanges = 200,
            XdsProxies = 100,
            ManagerRoutes = [100, 1_000],
            ManagerChanges = 30,
        };

    /// <summary>Clusters that a proxy has when one changed resource is timed.</summary>
    public IReadOnlyList<int> XdsClusters { get; init; } = [100, 1_000, 10_000];

    /// <summary>How many such changes are timed.</summary>
    public int XdsChanges { get; init; } = 2_000;

    /// <summary>Proxies that are connected when memory is measured, of the xDS server and of the manager; five per tenant.</summary>
    public int XdsProxies { get; init; } = 1_000;

    /// <summary>Routes of the one tenant when changes on their way through the manager to a proxy are timed.</summary>
    public IReadOnlyList<int> ManagerRoutes { get; init; } = [100, 1_000, 10_000];

    /// <summary>How many such changes of each kind are timed.</summary>
    public int ManagerChanges { get; init; } = 100;
}
