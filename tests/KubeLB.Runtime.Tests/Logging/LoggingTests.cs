using System.Text.Json.Nodes;
using KubeLB.Runtime.CommandLine;
using KubeLB.Runtime.Hosting;
using Microsoft.Extensions.Logging;
using Serilog.Core;
using Serilog.Events;
using Serilog.Extensions.Logging;
using Serilog.Formatting;
using Serilog.Formatting.Display;

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
    public void Log_levels_use_the_syntax_of_zap(string text, LogLevel level) => LogLevels.Parse(text).Should().Be(level);

    [Theory]
    [InlineData("loud")]
    [InlineData("")]
    [InlineData("-1")]
    public void Invalid_log_level_is_rejected_with_the_valid_ones(string text) =>
        FluentActions
            .Invoking(() => LogLevels.Parse(text))
            .Should()
            .Throw<FormatException>()
            .WithMessage("*use debug, info, warn, error, panic*");

    [Fact]
    public void Events_have_component_and_scope_and_framework_logs_warnings_only()
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
        factory.CreateLogger("Grpc.AspNetCore.Server.ServerCallHandler").LogInformation(new IOException("reset"), "nor this");
        factory.CreateLogger("Microsoft.AspNetCore").LogWarning("but this");

        sink.Events.Select(e => e.RenderMessage()).Should().Equal("hello", "but this");
        sink.Events[0].Properties.Should().ContainKeys("Component", "Controller", "Namespace", "Name");
    }

    [Fact]
    [Trait("Threat", "log-forgery")]
    public void Text_log_escapes_values_and_exceptions()
    {
        var sink = new ListSink();
        using var serilog = KubeRuntimeLoggingExtensions.CreateLogger("ccm", LogLevel.Information, json: false, sink);
        using var factory = new SerilogLoggerFactory(serilog);
        var logger = factory.CreateLogger("KubeLB.Test");
        using (logger.BeginScope(new Dictionary<string, object> { ["Controller"] = "widgets", ["Name"] = "a\nb" }))
        {
            logger.LogWarning(
                new FormatException("first\n20:00:00.000 ERR Fake: injected\u001b[31m"),
                "Rejected {Kind} of {Names}.",
                "HTTPRoute\n20:00:00.000 ERR Fake: injected\u001b[31m",
                new[] { "a", "b" }
            );
        }

        using var output = new StringWriter();
        new MessageTemplateTextFormatter(KubeRuntimeLoggingExtensions.TextTemplate).Format(sink.Events.Single(), output);

        var lines = output.ToString().Split(Environment.NewLine);
        lines[0]
            .Should()
            .EndWith(
                """Z WARN Rejected HTTPRoute\n20:00:00.000 ERR Fake: injected\u001b[31m of ["a","b"]. controller=widgets object=a\nb"""
            );
        lines[1..].Should().Equal("System.FormatException: first", """  20:00:00.000 ERR Fake: injected\u001b[31m""", "");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Threat", "log-forgery")]
    public void Log_has_no_control_characters_of_a_value(bool json)
    {
        const string Hostile = "a\u0085b\u009b31m\u007f\u202ec\u2066d\u2069\u2028";
        var sink = new ListSink();
        using var serilog = KubeRuntimeLoggingExtensions.CreateLogger("ccm", LogLevel.Information, json, sink);
        using var factory = new SerilogLoggerFactory(serilog);
        factory
            .CreateLogger("KubeLB.Test")
            .LogWarning(new FormatException(Hostile), "Rejected {Name} of {Names}.", Hostile, new[] { Hostile });

        using var output = new StringWriter();
        ITextFormatter formatter = json
            ? new EscapedJsonFormatter()
            : new MessageTemplateTextFormatter(KubeRuntimeLoggingExtensions.TextTemplate);
        formatter.Format(sink.Events.Single(), output);

        output
            .ToString()
            .Should()
            .NotContainAny([.. Hostile.Where(c => c > '~').Select(c => $"{c}")])
            .And.Contain(@"a\u0085b\u009b31m\u007f\u202ec\u2066d\u2069\u2028");
        if (json)
        {
            ((string?)JsonNode.Parse(output.ToString())!["Name"]).Should().Be(Hostile, "a parser reads the value");
        }
    }

    [Fact]
    public void Text_log_of_plain_values_is_unchanged()
    {
        var sink = new ListSink();
        using var serilog = KubeRuntimeLoggingExtensions.CreateLogger("ccm", LogLevel.Information, json: false, sink);
        using var factory = new SerilogLoggerFactory(serilog);
        factory
            .CreateLogger("KubeLB.Test")
            .LogInformation("{Count} of {Names} since {Time}: {Type}", 3, new[] { "a" }, 1.5, typeof(string));

        using var output = new StringWriter();
        new MessageTemplateTextFormatter(KubeRuntimeLoggingExtensions.TextTemplate).Format(sink.Events.Single(), output);

        output
            .ToString()
            .Should()
            .MatchRegex("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z INFO 3 of ")
            .And.EndWith($"""INFO 3 of ["a"] since 1.5: System.String{Environment.NewLine}""");
    }

    [Theory]
    [InlineData(LogLevel.Debug, "debug")]
    [InlineData(LogLevel.Information, "info")]
    [InlineData(LogLevel.Warning, "warn")]
    [InlineData(LogLevel.Error, "error")]
    public void Json_log_has_the_rendered_message_and_the_level(LogLevel level, string expected)
    {
        var sink = new ListSink();
        using var serilog = KubeRuntimeLoggingExtensions.CreateLogger("ccm", LogLevel.Debug, json: true, sink);
        using var factory = new SerilogLoggerFactory(serilog);
        factory.CreateLogger("KubeLB.Test").Log(level, "Watching {Resource} in cluster \"{Cluster}\": {Count} objects.", "routes", "m", 3);

        using var output = new StringWriter();
        new EscapedJsonFormatter().Format(sink.Events.Single(), output);
        var json = JsonNode.Parse(output.ToString())!;

        ((string?)json["msg"]).Should().Be("Watching routes in cluster \"m\": 3 objects.");
        ((string?)json["level"]).Should().Be(expected);
        ((string?)json["Resource"]).Should().Be("routes");
    }

    private sealed class ListSink : ILogEventSink
    {
        public List<LogEvent> Events { get; } = [];

        public void Emit(LogEvent logEvent) => Events.Add(logEvent);
    }
}
