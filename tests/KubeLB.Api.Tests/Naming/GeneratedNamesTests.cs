using KubeLB.Api.Naming;

namespace KubeLB.Api.Tests.Naming;

/// <summary>Expected hashes were computed with sha256sum.</summary>
public sealed class GeneratedNamesTests
{
    private const string SourceUid = "8604bad4-0a6f-4a7b-8e68-b56f2245fb50";

    [Fact]
    public void Recorded_example_has_the_recorded_names()
    {
        GeneratedNames.ForRoute("bench", "web").Should().Be("bench-web");
        GeneratedNames.ForService("bench", "web", "web").Should().Be("bench-web-web");
    }

    [Fact]
    public void Route_name_of_59_characters_is_unchanged() =>
        GeneratedNames.ForRoute("ns", As(56)).Should().Be("ns-" + As(56)).And.HaveLength(59);

    [Theory]
    [InlineData(57, "ce25")]
    [InlineData(58, "005b")]
    public void Route_name_of_60_characters_is_truncated_to_55_with_its_hash(int length, string hash) =>
        GeneratedNames.ForRoute("ns", As(length)).Should().Be($"ns-{As(52)}-{hash}").And.HaveLength(60);

    [Theory]
    [InlineData(51, "-bbbbbbbbbb", "0694")]
    [InlineData(49, "---bbbbbbbbbb", "648d")]
    public void Dashes_at_the_end_are_trimmed(int length, string rest, string hash) =>
        GeneratedNames.ForRoute("ns", As(length) + rest).Should().Be($"ns-{As(length)}-{hash}");

    [Fact]
    public void Dash_after_the_limit_is_removed() => GeneratedNames.ForRoute("ns", As(52) + "-bbbbb").Should().Be($"ns-{As(52)}-1e76");

    [Fact]
    public void Dot_at_the_end_is_trimmed()
    {
        GeneratedNames.ForRoute("ns", As(51) + ".bbbbbbbbbb").Should().Be($"ns-{As(51)}-9c32");
        GeneratedNames.WithSuffix(As(53) + ".bbbb", SourceUid).Should().Be($"{As(53)}-8029");
    }

    [Fact]
    public void Route_name_keeps_its_dots() => GeneratedNames.ForRoute("ns", "web.example.com").Should().Be("ns-web.example.com");

    [Theory]
    [InlineData(53, null)]
    [InlineData(54, "c7fa")]
    [InlineData(55, "3647")]
    public void Service_name_is_truncated_at_the_same_length(int length, string? hash)
    {
        var s = new string('s', length);

        GeneratedNames.ForService("ns", "rt", s).Should().Be(hash is null ? $"ns-rt-{s}" : $"ns-rt-{new string('s', 49)}-{hash}");
    }

    [Theory]
    [InlineData(52, "k-1-rt-ssssssssssssssssssssssssssssssssssssssssssssssssssss")]
    [InlineData(53, "k-1-rt-ssssssssssssssssssssssssssssssssssssssssssssssss-27df")]
    public void Prefix_is_part_of_length_and_hash(int length, string expected) =>
        GeneratedNames.ForService("1", "rt", new string('s', length)).Should().Be(expected);

    [Theory]
    [InlineData("ns", "web.example.com", "svc", "ns-web-example-com-svc")]
    [InlineData("ns", "a_b/c:d", "e f", "ns-a-b-c-d-e-f")]
    [InlineData("NS", "Web", "SVC", "ns-web-svc")]
    [InlineData("1ns", "web", "svc", "k-1ns-web-svc")]
    [InlineData("-1", "web", "svc", "k-1-web-svc")]
    [InlineData("ns", "web", "svc--", "ns-web-svc")]
    [InlineData("--ns", "web", "svc", "ns-web-svc")]
    [InlineData("ns", "", "svc", "ns--svc")]
    public void Service_name_is_a_DNS_1035_label(string @namespace, string route, string service, string expected) =>
        GeneratedNames.ForService(@namespace, route, service).Should().Be(expected);

    [Theory]
    [InlineData("caf\u00e9", "ns-caf--svc-x")]
    [InlineData("\u00c9t\u00e9", "ns--t--svc-x")]
    [InlineData("\u4f60\u597d", "ns----svc-x")]
    [InlineData("a\U0001F600b", "ns-a-b-svc-x")]
    [InlineData("\U0001F600\U0001F600", "ns----svc-x")]
    [InlineData("\u0663", "ns---svc-x")]
    public void Character_outside_ASCII_is_replaced_by_one_dash(string route, string expected) =>
        GeneratedNames.ForService("ns", route, "svc-x").Should().Be(expected);

    [Theory]
    [InlineData("", "", "")]
    [InlineData("-", "--", "-")]
    [InlineData("\u00e9", "\U0001F600", "_")]
    public void Empty_label_is_k(string @namespace, string route, string service) =>
        GeneratedNames.ForService(@namespace, route, service).Should().Be("k");

    [Fact]
    public void Suffix_is_the_hash_of_the_source_UID()
    {
        GeneratedNames.WithSuffix("a-b-c", SourceUid).Should().Be("a-b-c-8029");
        GeneratedNames.WithSuffix("a-b-c", "").Should().Be("a-b-c-e3b0");
    }

    [Theory]
    [InlineData(54, 54)]
    [InlineData(55, 54)]
    [InlineData(59, 54)]
    [InlineData(60, 54)]
    [InlineData(253, 54)]
    public void Name_with_suffix_is_shorter_than_60_characters(int length, int kept)
    {
        var name = GeneratedNames.WithSuffix(As(length), SourceUid);

        name.Should().Be($"{As(kept)}-8029");
        name.Length.Should().BeLessThan(GeneratedNames.MaxLength);
    }

    [Fact]
    public void Suffix_follows_one_dash() => GeneratedNames.WithSuffix(As(52) + "--bbbb", SourceUid).Should().Be($"{As(52)}-8029");

    [Fact]
    public void Hash_is_4_hex_digits_of_the_SHA_256() => GeneratedNames.Hash("web").Should().Be("4b5e");

    private static string As(int count) => new('a', count);
}
