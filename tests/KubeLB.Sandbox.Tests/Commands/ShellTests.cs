using KubeLB.Sandbox.Commands;

namespace KubeLB.Sandbox.Tests.Commands;

public sealed class ShellTests
{
    [Theory]
    [InlineData("/tmp/kubelb-aB3_x/tenant.kubeconfig", "/tmp/kubelb-aB3_x/tenant.kubeconfig")]
    [InlineData("/home/a b/x", "'/home/a b/x'")]
    [InlineData("/it's", "'/it'\\''s'")]
    [InlineData("$HOME", "'$HOME'")]
    [InlineData("~", "'~'")]
    [InlineData("", "''")]
    public void Word_is_quoted_if_the_shell_would_change_it(string text, string word) => Shell.Word(text).Should().Be(word);
}
