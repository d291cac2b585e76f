using KubeLB.Tests.Shared;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Tenants;

/// <summary>The features in the status of a GatewayClass, compared with the results of the conformance tests.</summary>
public sealed class SupportedFeaturesTests
{
    private static readonly TenantSettings All = new("tenant-t1", EnforceReferenceGrants: true);

    [Fact]
    public void Supported_features_are_those_whose_conformance_tests_pass()
    {
        var results = File.ReadLines(
                Path.Combine(SourceTree.Root, "tests", "KubeLB.Translation.Tests", "testdata", "conformance", "v1.6.1.txt")
            )
            .Where(line => !line.StartsWith('#'))
            .Select(line => line.Split(' '))
            .ToList();
        results.Select(r => string.Join(' ', r)).Should().OnlyHaveUniqueItems();
        results.Select(r => r[1]).Should().OnlyContain(result => new[] { "passed", "fixed", "failed", "skipped" }.Contains(result));

        Names(All)
            .Should()
            .Equal(
                results
                    .GroupBy(r => r[0], StringComparer.Ordinal)
                    .Where(feature => feature.Any(r => r[1] == "passed") && feature.All(r => r[1] is "passed" or "fixed"))
                    .Select(feature => feature.Key)
                    .Order(StringComparer.Ordinal)
            );
    }

    [Fact]
    public void Supported_features_are_sorted_and_fit_into_the_status()
    {
        Names(All).Should().BeInAscendingOrder(StringComparer.Ordinal).And.OnlyHaveUniqueItems();
        Names(All).Count.Should().BeLessThanOrEqualTo(64, "the definition of GatewayClass permits no more");
    }

    [Fact]
    public void Features_of_disabled_controllers_are_not_supported()
    {
        Names(All with { EnforceReferenceGrants = false }).Should().Equal(Names(All).Except(["ReferenceGrant"]));
        Names(All with { IsGrpcRouteControllerEnabled = false }).Should().NotContain(name => name.StartsWith("GRPCRoute"));
        Names(All with { IsHttpRouteControllerEnabled = false }).Should().NotContain(name => name.StartsWith("HTTPRoute"));
        Names(All with { IsGatewayControllerEnabled = false }).Should().NotContain(name => name.StartsWith("Gateway"));
        Names(All with { IsGatewayControllerEnabled = false }).Should().Contain("HTTPRoute");
    }

    private static List<string?> Names(TenantSettings settings) => [.. SupportedFeatures.Of(settings).Select(f => f.Name)];
}
