using System.Net;
using CsCheck;
using KubeLB.Translation.Endpoints;

namespace KubeLB.Translation.Tests.Endpoints;

/// <summary>The ranges of the management cluster: lookups, several sources of one range, and few ranges in NetworkPolicies.</summary>
public sealed class AddressSetTests
{
    [Fact]
    public void Range_is_contained_until_its_last_source_is_removed()
    {
        var twice = AddressSet.Empty.Add("10.1.0.0/16").Add("10.1.2.3/16");
        var once = twice.Remove("10.1.0.0/16");
        var none = once.Remove("10.1.0.0/16");

        once.Contains(IPAddress.Parse("10.1.255.255")).Should().BeTrue("one source is left");
        once.ContainsRange("10.1.0.0/16").Should().BeTrue();
        none.Contains(IPAddress.Parse("10.1.255.255")).Should().BeFalse();
        none.Remove("10.1.0.0/16").Should().BeSameAs(none);
        twice.Ranges().Should().Equal("10.1.0.0/16");
    }

    [Theory]
    [InlineData("node-1")]
    [InlineData("10.0.0.0/33")]
    [InlineData("")]
    [InlineData(null)]
    public void Invalid_range_is_ignored(string? text)
    {
        AddressSet.Empty.Add(text).Should().BeSameAs(AddressSet.Empty);
        AddressSet.Empty.Remove(text).Should().BeSameAs(AddressSet.Empty);
    }

    [Theory]
    [InlineData("10.0.0.0/24 10.0.1.0/24", "10.0.0.0/23")]
    [InlineData("10.0.1.0/24 10.0.2.0/24", "10.0.1.0/24 10.0.2.0/24")]
    [InlineData("10.0.0.0/24 10.0.1.0/24 10.0.2.0/24 10.0.3.0/24", "10.0.0.0/22")]
    [InlineData("10.0.0.0/8 10.1.0.0/16", "10.0.0.0/8")]
    [InlineData("fd00::/65 fd00:0:0:0:8000::/65 192.0.2.1", "192.0.2.1/32 fd00::/64")]
    [InlineData("0.0.0.0/1 128.0.0.0/1", "0.0.0.0/0")]
    public void Ranges_are_merged(string added, string expected)
    {
        added.Split(' ').Aggregate(AddressSet.Empty, (set, range) => set.Add(range)).Ranges().Should().Equal(expected.Split(' '));
    }

    [Fact]
    public void Merged_ranges_contain_the_same_addresses() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 7], Gen.Int[22, 32])
            .List[0, 12]
            .Sample(
                ranges =>
                {
                    var set = ranges.Aggregate(
                        AddressSet.Empty,
                        (all, range) => all.Add($"10.0.{range.Item1}.{range.Item2}/{range.Item3}")
                    );
                    var merged = set.Ranges().Aggregate(AddressSet.Empty, (all, range) => all.Add(range));

                    foreach (var (a, b) in from a in Enumerable.Range(0, 5) from b in Enumerable.Range(0, 9) select (a, b))
                    {
                        var address = IPAddress.Parse($"10.0.{a}.{b}");
                        var isIn = ranges.Any(range =>
                        {
                            var (first, second, prefix) = range;
                            return ((a << 8) + b) >> (32 - prefix) == ((first << 8) + second) >> (32 - prefix);
                        });
                        set.Contains(address).Should().Be(isIn);
                        merged.Contains(address).Should().Be(isIn);
                    }

                    set.Ranges().Count.Should().BeLessThanOrEqualTo(ranges.Count);
                },
                iter: 300
            );
}
