using KubeLB.Translation.Endpoints;

namespace KubeLB.Translation.Tests.Endpoints;

public sealed class NodePortRangesTests
{
    [Theory]
    [InlineData("30000-32767", "30000 32767", "29999 32768 80")]
    [InlineData("30000-30999,8443", "30000 30999 8443", "31000 8442 8444")]
    [InlineData(" 30000 , 30002-30002 ", "30000 30002", "30001")]
    [InlineData("1-65535", "1 65535", "0 -1 65536")]
    public void Ports_of_a_range_are_permitted(string text, string permitted, string rejected)
    {
        var ranges = NodePortRanges.Parse(text)!;

        permitted.Split(' ').Select(int.Parse).Should().OnlyContain(port => ranges.Contains(port));
        rejected.Split(' ').Select(int.Parse).Should().NotContain(port => ranges.Contains(port));
    }

    [Theory]
    [InlineData("30000-32767", "30000-32767")]
    [InlineData(" 8443 , 30000-30000", "8443,30000")]
    public void Text_is_canonical(string text, string canonical) => $"{NodePortRanges.Parse(text)}".Should().Be(canonical);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(",")]
    [InlineData("30000,")]
    [InlineData("0-100")]
    [InlineData("30000-65536")]
    [InlineData("32767-30000")]
    [InlineData("30000-")]
    [InlineData("-30000")]
    [InlineData("30000--32767")]
    [InlineData("30000+2767")]
    [InlineData("+30000")]
    [InlineData("0x7530")]
    [InlineData("99999999999999999999")]
    public void Invalid_text_is_null(string? text) => NodePortRanges.Parse(text).Should().BeNull();

    [Fact]
    public void Text_of_excessive_length_is_null() =>
        NodePortRanges.Parse(string.Join(',', Enumerable.Repeat("30000", 1000))).Should().BeNull();
}
