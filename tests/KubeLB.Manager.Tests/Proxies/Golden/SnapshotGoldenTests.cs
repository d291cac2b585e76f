using KubeLB.Tests.Shared;
using KubeLB.Xds.Resources;

namespace KubeLB.Manager.Tests.Proxies.Golden;

/// <summary>The configuration of a tenant's proxies, by example: <c>testdata/snapshots</c>.</summary>
public sealed class SnapshotGoldenTests
{
    internal static readonly GoldenFolder Folder = new("KubeLB.Manager.Tests", "snapshots", "snapshots");

    internal static readonly string[] Types = [ResourceTypes.Listener, ResourceTypes.Cluster, ResourceTypes.ClusterLoadAssignment];

    public static TheoryData<string> Cases => [.. Folder.Cases()];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Snapshot_matches_its_golden_file(string name)
    {
        var cache = SnapshotCase.Build(Folder.Input(name));
        var resources = Types.SelectMany(type => cache.List(SnapshotCase.Node, type).OrderBy(r => r.Name, StringComparer.Ordinal));

        Folder.Check(name, Yaml.Write(resources.Select(EnvoyJson.Of)));
    }

    [Fact]
    public void Golden_file_without_input_does_not_exist() => Folder.CheckOrphans();
}
