using KubeLB.Manager.Hosting;
using KubeLB.Tests.Shared;

namespace KubeLB.Manager.Tests.Hosting;

/// <summary>docs/reference/delays.md has each delay of the manager with its figure.</summary>
public sealed class DelaysDocumentTests
{
    private static readonly string Section = DelaysDocument.Section("Manager");

    public static TheoryData<string> Names => [.. DelaysDocument.NamesOf(typeof(Delays))];

    [Theory]
    [MemberData(nameof(Names))]
    public void Delay_is_documented_with_its_figure(string name) => Section.Should().Contain(DelaysDocument.RowOf(typeof(Delays), name));

    [Fact]
    public void No_other_delay_is_documented() => Section.Split("\n| `").Length.Should().Be(Names.Count + 1);
}
