using KubeLB.Translation.Matching;

namespace KubeLB.Translation.Tests.Matching;

public sealed class KeyGlobTests
{
    [Theory]
    [InlineData("example.com/a", "example.com/a", true)]
    [InlineData("example.com/a", "example.com/ab", false)]
    [InlineData("example.com/a", "Example.com/a", false)]
    [InlineData("example.com/*", "example.com/anything", true)]
    [InlineData("example.com/*", "example.com/", true)]
    [InlineData("example.com/*", "sub.example.com/a", false)]
    [InlineData("*", "plain", true)]
    [InlineData("*", "example.com/a", false)]
    [InlineData("*/*", "example.com/a", true)]
    [InlineData("*.example.com/a*z", "x.example.com/abcz", true)]
    [InlineData("*.example.com/a*z", "x.example.com/abc", false)]
    [InlineData("a*b*c", "aXbXbXc", true)]
    [InlineData("a*b*c", "aXb/c", false)]
    [InlineData("a?c", "abc", true)]
    [InlineData("a?c", "a/c", false)]
    [InlineData("a?c", "ac", false)]
    [InlineData("a[b-d]e", "ace", true)]
    [InlineData("a[b-d]e", "aee", false)]
    [InlineData("a[^b-d]e", "aee", true)]
    [InlineData("a[^b-d]e", "ace", false)]
    [InlineData("a[b-d]e", "abe", true)]
    [InlineData("a[b-d]e", "ade", true)]
    [InlineData("a[^b]e", "a^e", true)]
    [InlineData(@"a[\]x]e", "a]e", true)]
    [InlineData(@"a[\-x]e", "a-e", true)]
    [InlineData(@"a[\-x]e", "abe", false)]
    [InlineData(@"a\*", "a*", true)]
    [InlineData(@"a\*", "ab", false)]
    public void Pattern_matches_whole_keys_and_wildcards_exclude_slashes(string pattern, string key, bool matches) =>
        KeyGlob.Parse(pattern).Glob!.Matches(key).Should().Be(matches);

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("a[b")]
    [InlineData("a[]")]
    [InlineData("a[b-]")]
    [InlineData("a[-b]")]
    [InlineData("a[]b]")]
    [InlineData("a[")]
    [InlineData("a[^")]
    [InlineData(@"a[\")]
    [InlineData(@"a\")]
    public void Invalid_pattern_is_reported(string? pattern)
    {
        var (glob, problem) = KeyGlob.Parse(pattern);

        glob.Should().BeNull();
        problem.Should().NotBeEmpty();
    }

    [Theory]
    [InlineData("example.com/a", "example.com/a")]
    [InlineData("example.com/*", "example.com/")]
    [InlineData("example.com/a?", "example.com/a")]
    [InlineData("example.com/[ab", "example.com/")]
    [InlineData(@"a\*b*c", "a*b")]
    [InlineData(@"ab\", "ab")]
    [InlineData("*", "")]
    public void Literal_prefix_ends_before_the_first_wildcard(string pattern, string prefix) =>
        KeyGlob.LiteralPrefix(pattern).Should().Be(prefix);

    [Fact]
    public void Many_stars_match_in_polynomial_time()
    {
        var glob = KeyGlob.Parse(string.Concat(Enumerable.Repeat("a*", 1000)) + "b").Glob!;

        glob.Matches(new string('a', 20_000)).Should().BeFalse();
    }
}
