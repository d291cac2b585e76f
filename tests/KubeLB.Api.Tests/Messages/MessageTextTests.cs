using KubeLB.Api.Messages;

namespace KubeLB.Api.Tests.Messages;

public sealed class MessageTextTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("plain text, \"quoted\" \\ and ünïcödé 東京 😀", "plain text, \"quoted\" \\ and ünïcödé 東京 😀")]
    [InlineData("a\r\n\tb", @"a\r\n\tb")]
    [InlineData("\u0000\u0007\u001b[31m", @"\u0000\u0007\u001b[31m")]
    [InlineData("\u007f\u0085\u009b", @"\u007f\u0085\u009b")]
    [InlineData("a\u2028b\u2029", @"a\u2028b\u2029")]
    [InlineData("\u202atxt\u202e\u2066\u2069\u200e\u200f\u061c", @"\u202atxt\u202e\u2066\u2069\u200e\u200f\u061c")]
    [InlineData("\u200d\u2030\u2065", "\u200d\u2030\u2065")]
    [Trait("Threat", "log-forgery")]
    public void Control_characters_are_escaped(string text, string escaped) => MessageText.Escape(text).Should().Be(escaped);

    [Fact]
    public void Incomplete_surrogate_pairs_are_escaped()
    {
        MessageText.Escape("a\ud83d").Should().Be(@"a\ud83d");
        MessageText.Escape("\ude00b").Should().Be(@"\ude00b");
        MessageText.Escape("\ud83d\ud83d\ude00").Should().Be("\\ud83d\ud83d\ude00");
    }

    [Theory]
    [InlineData("ab\ncdef", 8, @"ab\ncdef")]
    [InlineData("ab\ncdef", 6, @"ab\nc…")]
    [InlineData("aaaaa😀", 6, "aaaaa…")]
    public void Quote_is_escaped_and_truncated(string text, int length, string quote) => MessageText.Quote(text, length).Should().Be(quote);

    [Theory]
    [InlineData(0, "")]
    [InlineData(2, "0, 1")]
    [InlineData(3, "0, 1 and 1 more")]
    public void List_names_the_first_and_counts_the_rest(int count, string list) =>
        MessageText.List([.. Enumerable.Range(0, count).Select(i => $"{i}")], 2).Should().Be(list);

    [Fact]
    public void Message_keeps_line_feeds() => MessageText.Message("a\r\nb\u001b", 100).Should().Be("a\\r\nb\\u001b");

    [Fact]
    public void Lines_are_escaped_and_indented() =>
        MessageText
            .EscapeLines("first\r\nsecond\u001b\n  at third")
            .Should()
            .Be($@"first{Environment.NewLine}  second\u001b{Environment.NewLine}    at third");
}
