using System.Globalization;
using KubeLB.Api.Messages;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Compact;
using Serilog.Formatting.Display;

namespace KubeLB.Runtime.Hosting;

/// <summary>Sets up logging with Serilog.</summary>
public static class KubeRuntimeLoggingExtensions
{
    internal const string TextTemplate = "{LineTime:l} {LineLevel:l} {Message:lj}{Reconciling:l}{NewLine}{ExceptionText:l}";

    /// <summary>Logs to standard output through a Serilog logger of this host, one event per line.</summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="component">Added to every event as <c>Component</c>.</param>
    /// <param name="level">The minimum level.</param>
    /// <param name="format">The format.</param>
    public static IServiceCollection AddKubeRuntimeLogging(
        this IServiceCollection services,
        string component,
        LogLevel level = LogLevel.Information,
        LogFormat format = LogFormat.Auto
    )
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(component);
        var json = format switch
        {
            LogFormat.Text => false,
            LogFormat.Json => true,
            _ => PrefersJson(),
        };
        var logger = CreateLogger(component, level, json, null);
        return services.AddLogging(logging => logging.ClearProviders().SetMinimumLevel(LogLevel.Trace).AddSerilog(logger, dispose: true));
    }

    /// <param name="component">Added to every event.</param>
    /// <param name="level">The minimum level.</param>
    /// <param name="json">Compact JSON or text.</param>
    /// <param name="output">Null for standard output.</param>
    internal static Logger CreateLogger(string component, LogLevel level, bool json, ILogEventSink? output)
    {
        var own = EventLevel(level);
        var libraries = level <= LogLevel.Debug || own > LogEventLevel.Warning ? own : LogEventLevel.Warning;
        var configuration = new LoggerConfiguration()
            .MinimumLevel.Is(own)
            // ASP.NET Core logs every request and every listener, which is only useful for debugging.
            .MinimumLevel.Override("Microsoft", libraries)
            // gRPC logs the exception of each call that a client aborts.
            .MinimumLevel.Override("Grpc", libraries)
            .MinimumLevel.Override("System", libraries)
            // ControllerProgram reports a failed start of the host in one line.
            .MinimumLevel.Override("Microsoft.Extensions.Hosting.Internal.Host", LogEventLevel.Fatal)
            .Enrich.FromLogContext()
            .Enrich.WithProperty("Component", component);
        if (json)
        {
            configuration.Enrich.With<RenderedMessageEnricher>();
        }
        else
        {
            configuration.Enrich.With<ReconcileScopeEnricher>().Enrich.With<EscapingEnricher>().Enrich.With<TextEnricher>();
        }

        if (output is not null)
        {
            configuration.WriteTo.Sink(output);
        }
        else if (json)
        {
            configuration.WriteTo.Console(new EscapedJsonFormatter());
        }
        else
        {
            configuration.WriteTo.Console(outputTemplate: TextTemplate);
        }

        return configuration.CreateLogger();
    }

    private static bool PrefersJson() =>
        !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST")) || Console.IsOutputRedirected;

    private static LogEventLevel EventLevel(LogLevel level) =>
        level switch
        {
            LogLevel.Trace => LogEventLevel.Verbose,
            LogLevel.Debug => LogEventLevel.Debug,
            LogLevel.Information => LogEventLevel.Information,
            LogLevel.Warning => LogEventLevel.Warning,
            LogLevel.Error => LogEventLevel.Error,
            _ => LogEventLevel.Fatal,
        };
}

/// <summary>The format of the log.</summary>
public enum LogFormat
{
    /// <summary>JSON in a cluster or if standard output is not a terminal, text otherwise.</summary>
    Auto,

    /// <summary>Time, level, message and the object that is reconciled.</summary>
    Text,

    /// <summary>Compact JSON of Serilog, with the rendered message and the level in <c>msg</c> and <c>level</c>.</summary>
    Json,
}

/// <summary>
/// Compact JSON in which control characters and controls of the writing direction are escaped; that of Serilog escapes those below U+0020
/// only. Outside of texts JSON has none of them, so a parser reads the same values.
/// </summary>
internal sealed class EscapedJsonFormatter : ITextFormatter
{
    private static readonly CompactJsonFormatter Compact = new();

    public void Format(LogEvent logEvent, TextWriter output)
    {
        using var line = new StringWriter(CultureInfo.InvariantCulture);
        Compact.Format(logEvent, line);
        output.WriteLine(MessageText.Escape(line.ToString().TrimEnd()));
    }
}

/// <summary>Adds <c>msg</c> and <c>level</c>: compact JSON has the template of the message, and no level for Information.</summary>
internal sealed class RenderedMessageEnricher : ILogEventEnricher
{
    private static readonly MessageTemplateTextFormatter Formatter = new("{Message:lj}", CultureInfo.InvariantCulture);

    public void Enrich(LogEvent logEvent, ILogEventPropertyFactory propertyFactory)
    {
        using var message = new StringWriter(CultureInfo.InvariantCulture);
        Formatter.Format(logEvent, message);
        logEvent.AddPropertyIfAbsent(new LogEventProperty("msg", new ScalarValue(message.ToString())));
        logEvent.AddPropertyIfAbsent(new LogEventProperty("level", new ScalarValue(Severities.Of(logEvent.Level))));
    }
}

/// <summary>Adds the time in UTC and the level in capital letters, for text logs.</summary>
internal sealed class TextEnricher : ILogEventEnricher
{
    public void Enrich(LogEvent logEvent, ILogEventPropertyFactory propertyFactory)
    {
        var time = logEvent.Timestamp.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        logEvent.AddOrUpdateProperty(new LogEventProperty("LineTime", new ScalarValue(time)));
        logEvent.AddOrUpdateProperty(new LogEventProperty("LineLevel", new ScalarValue(Severities.Of(logEvent.Level).ToUpperInvariant())));
    }
}

/// <summary>The names of levels, as in zap.</summary>
internal static class Severities
{
    /// <summary>The name of a level.</summary>
    public static string Of(LogEventLevel level) =>
        level switch
        {
            LogEventLevel.Verbose => "trace",
            LogEventLevel.Debug => "debug",
            LogEventLevel.Information => "info",
            LogEventLevel.Warning => "warn",
            LogEventLevel.Error => "error",
            _ => "fatal",
        };
}

/// <summary>
/// Formats the scope of a reconcile as one property, <c>controller=NAME object=namespace/name</c>, for text logs.
/// </summary>
internal sealed class ReconcileScopeEnricher : ILogEventEnricher
{
    public void Enrich(LogEvent logEvent, ILogEventPropertyFactory propertyFactory)
    {
        if (Text(logEvent, "Controller") is not { Length: > 0 } controller || Text(logEvent, "Name") is not { Length: > 0 } name)
        {
            return;
        }

        var ns = Text(logEvent, "Namespace");
        var key = string.IsNullOrEmpty(ns) ? name : $"{ns}/{name}";
        logEvent.AddOrUpdateProperty(propertyFactory.CreateProperty("Reconciling", $" controller={controller} object={key}"));
    }

    private static string? Text(LogEvent logEvent, string property) =>
        logEvent.Properties.TryGetValue(property, out var value) && value is ScalarValue { Value: string text } ? text : null;
}

/// <summary>
/// Escapes the properties of events and their exceptions for text logs: an object's name or an error may contain line feeds and sequences
/// that control a terminal. JSON has its own escape sequences.
/// </summary>
internal sealed class EscapingEnricher : ILogEventEnricher
{
    public void Enrich(LogEvent logEvent, ILogEventPropertyFactory propertyFactory)
    {
        foreach (var (name, value) in logEvent.Properties.ToList())
        {
            if (Escape(value) is var escaped && !ReferenceEquals(escaped, value))
            {
                logEvent.AddOrUpdateProperty(new LogEventProperty(name, escaped));
            }
        }

        if (logEvent.Exception is { } exception)
        {
            var text = MessageText.EscapeLines(exception.ToString()) + Environment.NewLine;
            logEvent.AddOrUpdateProperty(new LogEventProperty("ExceptionText", new ScalarValue(text)));
        }
    }

    private static LogEventPropertyValue Escape(LogEventPropertyValue value)
    {
        switch (value)
        {
            case ScalarValue { Value: { } scalar and not (ValueType and IFormattable) }:
                var text = scalar.ToString() ?? "";
                var escaped = MessageText.Escape(text);
                return ReferenceEquals(text, escaped) ? value : new ScalarValue(escaped);
            case SequenceValue sequence:
                return new SequenceValue(sequence.Elements.Select(Escape));
            case DictionaryValue dictionary:
                return new DictionaryValue(
                    dictionary.Elements.Select(e => KeyValuePair.Create((ScalarValue)Escape(e.Key), Escape(e.Value)))
                );
            case StructureValue structure:
                return new StructureValue(
                    structure.Properties.Select(p => new LogEventProperty(p.Name, Escape(p.Value))),
                    structure.TypeTag
                );
            default:
                return value;
        }
    }
}
