using Microsoft.Extensions.Logging;
using Serilog.Core;
using Serilog.Events;
using Serilog.Extensions.Logging;

namespace KubeLB.Runtime.Tests.Logging;

public sealed class LoggingTests
{
    [Theory]
    [InlineData("debug", LogLevel.Debug)]
    [InlineData("INFO", LogLevel.Information)]
    [InlineData(" warn ", LogLevel.Warning)]
    [InlineData("error", LogLevel.Error)]
    [InlineData("panic", LogLevel.Critical)]
    [InlineData("0", LogLevel.Information)]
    [InlineData("1", LogLevel.Debug)]
    [InlineData("5", LogLevel.Trace)]
    public void Levels_are_read_as_zap_takes_them(string text, LogLevel level) => LogLevels.Parse(text).Should().Be(level);

    [Theory]
    [InlineData("loud")]
    [InlineData("")]
    [InlineData("-1")]
    public void What_is_no_level_is_refused_with_those_that_are(string text) =>
        FluentActions
            .Invoking(() => LogLevels.Parse(text))
            .Should()
            .Throw<FormatException>()
            .WithMessage("*use debug, info, warn, error or panic*");

    [Fact]
    public void Events_carry_the_component_and_the_scope_of_the_reconcile_and_the_framework_speaks_up_only_for_warnings()
    {
        var sink = new ListSink();
        using var serilog = KubeRuntimeLoggingExtensions.CreateLogger("ccm", LogLevel.Information, json: true, sink);
        using var factory = new SerilogLoggerFactory(serilog);
        var logger = factory.CreateLogger("KubeLB.Test");
        using (
            logger.BeginScope(
                new Dictionary<string, object>
                {
                    ["Controller"] = "widgets",
                    ["Namespace"] = "ns",
                    ["Name"] = "n",
                }
            )
        )
        {
            logger.LogInformation("hello");
        }

        logger.LogDebug("not this");
        factory.CreateLogger("Microsoft.AspNetCore").LogInformation("nor this");
        factory.CreateLogger("Microsoft.AspNetCore").LogWarning("but this");

        sink.Events.Select(e => e.RenderMessage()).Should().Equal("hello", "but this");
        sink.Events[0].Properties.Should().ContainKeys("Component", "Controller", "Namespace", "Name");
    }

    private sealed class ListSink : ILogEventSink
    {
        public List<LogEvent> Events { get; } = [];

        public void Emit(LogEvent logEvent) => Events.Add(logEvent);
    }
}
