namespace KubeLB.Sandbox.Commands;

/// <summary>Texts of printed shell commands.</summary>
internal static class Shell
{
    private const string Unquoted = "/._-+=:,@%";

    /// <summary>The text as one word of a POSIX shell, quoted if necessary.</summary>
    public static string Word(string text) =>
        text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || Unquoted.Contains(c, StringComparison.Ordinal))
            ? text
            : $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
