using KubeLB.Sandbox.Commands;

namespace KubeLB.Sandbox.Tests.Commands;

public sealed class SpellingTests
{
    [Theory]
    [InlineData("upp", "up")]
    [InlineData("UP", "up")]
    [InlineData("u", "up")]
    [InlineData("dmeo", "demo")]
    [InlineData("clutser", "cluster")]
    [InlineData("demos", "demo")]
    [InlineData("x", null)]
    [InlineData("start", null)]
    [InlineData("--nonsense", null)]
    public void Nearest_word_is_found(string text, string? expected) =>
        Spelling.Nearest(text, ["up", "demo", "cluster"]).Should().Be(expected);
}
