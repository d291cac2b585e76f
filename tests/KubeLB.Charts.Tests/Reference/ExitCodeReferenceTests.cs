using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using KubeLB.Charts.Tests.Support;
using KubeLB.Cli;
using KubeLB.Runtime.CommandLine;
using KubeLB.Sandbox.Commands;
using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests.Reference;

/// <summary>
/// <c>docs/reference/exit-codes.md</c> lists the exit codes of every executable; it is written with <c>KUBELB_UPDATE_GOLDEN=1</c> from the
/// types that define them.
/// </summary>
public sealed partial class ExitCodeReferenceTests
{
    private static readonly (string Executables, Type Codes)[] Types =
    [
        ("kubelb", typeof(ExitCodes)),
        ("kubelb-manager, kubelb-ccm", typeof(ControllerExitCodes)),
        ("kubelb-sandbox", typeof(SandboxExitCodes)),
    ];

    [Fact]
    public void Page_lists_every_exit_code()
    {
        var page = new ReferencePage("KubeLB.Charts.Tests", "docs/reference/exit-codes.md").Title(
            "Exit codes",
            "the types `ExitCodes`, `ControllerExitCodes` and `SandboxExitCodes`"
        );
        foreach (var (executables, codes) in Types)
        {
            page.Heading(2, executables)
                .Table(
                    ["code", "meaning"],
                    codes
                        .GetFields(BindingFlags.Public | BindingFlags.Static)
                        .Select(f => (Code: (int)f.GetRawConstantValue()!, Meaning: XmlDocumentation.MarkdownOf(f)))
                        .OrderBy(c => c.Code)
                        .Select(c => (string[])[c.Code.ToString(CultureInfo.InvariantCulture), ReferencePage.Cell(c.Meaning)])
                );
        }

        page.Check();
    }

    [Theory]
    [InlineData("src/KubeLB.Cli")]
    [InlineData("src/KubeLB.Runtime/CommandLine")]
    [InlineData("tools/KubeLB.Sandbox/Commands")]
    public void Commands_return_named_exit_codes(string folder) =>
        Directory
            .EnumerateFiles(Path.Combine(SourceTree.Root, folder), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .SelectMany(file => Literal().Matches(File.ReadAllText(file)).Select(m => $"{Path.GetFileName(file)}: {m.Value}"))
            .Should()
            .BeEmpty();

    [GeneratedRegex(@"return [0-9];|return [^;\n]*\? [0-9] : [0-9];|FailAsync\([^;]*, [0-9]\)|Environment\.Exit")]
    private static partial Regex Literal();
}
