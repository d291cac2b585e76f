using KubeLB.Runtime.Hosting;

namespace KubeLB.Runtime.Tests.Hosting;

public sealed class BuildVersionTests
{
    [Theory]
    [InlineData("0.1.0+0123456789abcdef0123456789abcdef01234567", "2026-11-29", "kubelb-ccm v0.1.0 (commit 0123456, 2026-11-29)")]
    [InlineData("0.1.0+0123456789abcdef0123456789abcdef01234567", null, "kubelb-ccm v0.1.0 (commit 0123456)")]
    [InlineData("0.2.0-rc.1+0123456", "", "kubelb-ccm v0.2.0-rc.1 (commit 0123456)")]
    [InlineData("0.1.0", "2026-11-29", "kubelb-ccm v0.1.0 (commit unknown)")]
    [InlineData("0.1.0+", null, "kubelb-ccm v0.1.0 (commit unknown)")]
    public void Build_version_prints_the_commit_or_unknown(string informational, string? date, string expected) =>
        BuildVersion.Parse("kubelb-ccm", informational, date).ToString().Should().Be(expected);

    [Fact]
    public void Build_version_of_an_assembly_has_its_name_and_version() =>
        BuildVersion
            .FromAssembly(typeof(BuildVersion).Assembly)
            .Should()
            .Match<BuildVersion>(v => v.Name == "KubeLB.Runtime" && v.Version == "v0.1.0");
}
