using KubeLB.Api.Messages;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting.Compact;

namespace KubeLB.Runtime.Hosting;

/// <summary>Sets up logging with Serilog.</summary>
public static class KubeRuntimeLoggingExtensions
{
    internal const string TextTemplate =
        "{Timestamp:HH:mm:ss.fff} {Level:u3} {Component} {Message:lj} {Reconciling}{NewLine}{ExceptionText:l}";

    /// <summary>
    /// Logs to standard output through a Serilog logger of this host: compact JSON, one event per line, or text.
    /// </summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="component">Added to every event as <c>Component</c>.</param>
    /// <param name="level">The minimum level.</param>
    /// <param name="json">Null (the default) for JSON in a cluster or when standard output is not a terminal, text otherwise.</param>
    public static IServiceCollection AddKubeRuntimeLogging(
        this IServiceCollection services,
        string component,
        LogLevel level = LogLevel.Information,
        bool? json = null
    )
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(component);
        var logger = CreateLogger(component, level, json ?? PrefersJson(), null);
        return services.AddLogging(logging => logging.ClearProviders().SetMinimumLevel(LogLevel.Trace).AddSerilog(logger, dispose: true));
    }

    /// <param name="component">Added to every event.</param>
    /// <param name="level">The minimum level.</param>
    /// <param name="json">Compact JSON or text.</param>
    /// <param name="output">Null for standard output.</param>
    internal static Logger CreateLogger(string component, LogLevel level, bool json, ILogEventSink? output)
    {
        var configuration = new LoggerConfiguration()
            .MinimumLevel.Is(EventLevel(level))
            // ASP.NET Core logs every request and every listener, which is only useful for debugging.
            .MinimumLevel.Override("Microsoft", level <= LogLevel.Debug ? EventLevel(level) : LogEventLevel.Warning)
            // gRPC logs the exception of each call that a client aborts.
            .MinimumLevel.Override("Grpc", level <= LogLevel.Debug ? EventLevel(level) : LogEventLevel.Warning)
            .MinimumLevel.Override("System", level <= LogLevel.Debug ? EventLevel(level) : LogEventLevel.Warning)
            // ControllerProgram reports a failed start of the host in one line.
            .MinimumLevel.Override("Microsoft.Extensions.Hosting.Internal.Host", LogEventLevel.Fatal)
            .Enrich.FromLogContext()
            .Enrich.WithProperty("Component", component);
        if (!json)
        {
            configuration.Enrich.With<ReconcileScopeEnricher>().Enrich.With<EscapingEnricher>();
        }

        if (output is not null)
        {
            configuration.WriteTo.Sink(output);
        }
        else if (json)
        {
            configuration.WriteTo.Console(new CompactJsonFormatter());
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

/// <summary>
/// Formats the scope of a reconcile as one property, <c>[controller namespace/name]</c>, for text logs.
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
        logEvent.AddOrUpdateProperty(propertyFactory.CreateProperty("Reconciling", $"[{controller} {key}]"));
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
