using KubeLB.Manager.Hosting;
using KubeLB.Translation.Tenants;

namespace KubeLB.Manager.Tests.Tenants;

/// <summary>The defaults belong to the version that is built.</summary>
public sealed class VersionedDefaultsVersionTests
{
    // A release with another minor version must add its defaults, even if they are unchanged: the exceptions of the one before end.
    [Fact]
    public void Current_defaults_are_those_of_this_minor_version()
    {
        var version = Version.Parse(ManagerBuild.Version.TrimStart('v').Split('-', '+')[0]);

        Version.Parse(VersionedDefaults.Current).Should().Be(new Version(version.Major, version.Minor));
        Version.Parse(VersionedDefaults.Next).Should().Be(new Version(version.Major, version.Minor + 1));
    }
}
