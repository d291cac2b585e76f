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
        var set = new AddressSet();

        set.Add("10.1.0.0/16").Should().BeTrue();
        set.Add("10.1.2.3/16").Should().BeFalse("the same range has been added");
        set.Remove("10.1.0.0/16").Should().BeFalse("one source is left");
        set.Contains(IPAddress.Parse("10.1.255.255")).Should().BeTrue();
        set.Remove("10.1.0.0/16").Should().BeTrue();
        set.Contains(IPAddress.Parse("10.1.255.255")).Should().BeFalse();
        set.Remove("10.1.0.0/16").Should().BeFalse();
    }

    [Theory]
    [InlineData("node-1")]
    [InlineData("10.0.0.0/33")]
    [InlineData("")]
    [InlineData(null)]
    public void Invalid_range_is_ignored(string? text)
    {
        var set = new AddressSet();

        set.Add(text).Should().BeFalse();
        set.Remove(text).Should().BeFalse();
        set.Ranges().Should().BeEmpty();
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
        var set = new AddressSet();
        foreach (var range in added.Split(' '))
        {
            set.Add(range);
        }

        set.Ranges().Should().Equal(expected.Split(' '));
    }

    [Fact]
    public void Merged_ranges_contain_the_same_addresses() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 7], Gen.Int[22, 32])
            .List[0, 12]
            .Sample(
                ranges =>
                {
                    var (set, merged) = (new AddressSet(), new AddressSet());
                    foreach (var (a, b, prefix) in ranges)
                    {
                        set.Add($"10.0.{a}.{b}/{prefix}");
                    }

                    foreach (var text in set.Ranges())
                    {
                        merged.Add(text);
                    }

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
