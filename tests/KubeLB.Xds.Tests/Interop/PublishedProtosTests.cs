using KubeLB.Tests.Shared;

namespace KubeLB.Xds.Tests.Interop;

/// <summary>Our protocol messages are Envoy's on the wire.</summary>
public class PublishedProtosTests
{
    [Fact]
    public async Task Protos_match_the_published_Envoy_protos()
    {
        NodeProgram.SkipUnlessInstalled();
        await using var comparison = NodeProgram.Start("compare-protos.mjs", Path.Combine(SourceTree.Root, "src", "KubeLB.Xds", "Protos"));
        var result = await comparison.NextAsync("differences");
        result.GetProperty("differences").EnumerateArray().Select(d => d.GetString()).Should().BeEmpty();
        result.GetProperty("messages").GetInt32().Should().BeGreaterThan(140);
        result.GetProperty("fields").GetInt32().Should().BeGreaterThan(600);
        result.GetProperty("methods").GetInt32().Should().Be(12);
    }
}
