using System.Reflection;
using KubeLB.Manager.Hosting;
using KubeLB.Tests.Shared;

namespace KubeLB.Manager.Tests.Documentation;

/// <summary>docs/delays.md has each delay of the manager with its figure.</summary>
public sealed class DelaysDocumentTests
{
    private static readonly string Manager =
        File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "delays.md")).Split("## Manager")[1].Split("## CCM")[0];

    public static TheoryData<string> Names => [.. typeof(Delays).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => f.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Delay_is_documented_with_its_figure(string name) =>
        Manager.Should().Contain($"| `{name}` | {Text((TimeSpan)typeof(Delays).GetField(name)!.GetValue(null)!)} |");

    [Fact]
    public void No_other_delay_is_documented() => Manager.Split("\n| `").Length.Should().Be(Names.Count + 1);

    private static string Text(TimeSpan time) =>
        time < TimeSpan.FromSeconds(1) ? FormattableString.Invariant($"{time.TotalMilliseconds} ms")
        : time < TimeSpan.FromMinutes(1) ? FormattableString.Invariant($"{time.TotalSeconds} s")
        : FormattableString.Invariant($"{time.TotalMinutes} min");
}
