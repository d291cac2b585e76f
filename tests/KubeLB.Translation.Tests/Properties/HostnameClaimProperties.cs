using CsCheck;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Properties;

/// <summary>The index finds every overlapping hostname.</summary>
public sealed class HostnameClaimProperties
{
    private static readonly string[] Labels = ["a", "b", "com", "ab"];

    private static readonly Gen<string> Hostnames = Gen.Select(Gen.Bool, Gen.Int[0, 3].Select(i => Labels[i]).Array[1, 5])
        .Select((wildcard, labels) => (wildcard ? "*." : "") + string.Join('.', labels));

    [Fact]
    public void Overlapping_hostnames_are_found_by_both_lookups() =>
        Gen.Select(Hostnames, Hostnames)
            .Sample(
                (left, right) =>
                {
                    if (HostnameClaims.Overlap(left, right))
                    {
                        HostnameClaims
                            .Lookups(left)
                            .Should()
                            .IntersectWith(HostnameClaims.IndexValues(right), "{0} overlaps {1}", left, right);
                        HostnameClaims
                            .Lookups(right)
                            .Should()
                            .IntersectWith(HostnameClaims.IndexValues(left), "{1} overlaps {0}", left, right);
                    }
                },
                iter: 20_000
            );

    [Fact]
    public void Hostname_without_wildcard_is_found_only_by_those_that_overlap_it() =>
        Gen.Select(Hostnames.Where(h => !h.StartsWith('*')), Hostnames)
            .Sample(
                (left, right) =>
                    HostnameClaims
                        .Lookups(left)
                        .Intersect(HostnameClaims.IndexValues(right))
                        .Any()
                        .Should()
                        .Be(HostnameClaims.Overlap(left, right), "of {0} and {1}", left, right),
                iter: 20_000
            );
}
