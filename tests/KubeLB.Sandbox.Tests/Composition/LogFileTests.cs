using KubeLB.Sandbox.Composition;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Tests.Composition;

public sealed class LogFileTests
{
    [Fact]
    public void Values_and_exceptions_begin_no_line_of_their_own()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("kubelb-log").FullName, "manager.log");
        var file = new LogFile(path);

        file.CreateLogger("KubeLB.Manager.Test")
            .LogWarning(new FormatException("first\n20:00 ERROR Fake"), "Rejected {Kind}.", "HTTPRoute\n20:00 ERROR Fake\u001b[31m");

        file.Close();
        var lines = File.ReadAllLines(path);
        lines.Should().HaveCount(2);
        lines[0].Should().EndWith(@"WARN Test: Rejected HTTPRoute\n20:00 ERROR Fake\u001b[31m. System.FormatException: first");
        lines[1].Should().Be("  20:00 ERROR Fake");
    }
}
