using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting.Compact;

namespace KubeLB.Runtime.Logging;

/// <summary>Sets up logging with Serilog.</summary>
public static class KubeRuntimeLoggingExtensions
{
    private const string ConsoleTemplate = "{Timestamp:HH:mm:ss.fff} {Level:u3} {Component} {Message:lj} {Reconciling}{NewLine}{Exception}";

    /// <summary>
    /// Logs to standard output through a Serilog logger of this host alone: compact JSON, one event a line, or text for people.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="component">Added to every event as <c>Component</c>.</param>
    /// <param name="level">The lowest level that is logged.</param>
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
    /// <param name="level">The lowest level that is logged.</param>
    /// <param name="json">Compact JSON or text.</param>
    /// <param name="output">Null for standard output.</param>
    internal static Logger CreateLogger(string component, LogLevel level, bool json, ILogEventSink? output)
    {
        var configuration = new LoggerConfiguration()
            .MinimumLevel.Is(EventLevel(level))
            // The framework speaks of every request and every listener; that is of interest when something is looked for.
            .MinimumLevel.Override("Microsoft", level <= LogLevel.Debug ? EventLevel(level) : LogEventLevel.Warning)
            .MinimumLevel.Override("System", level <= LogLevel.Debug ? EventLevel(level) : LogEventLevel.Warning)
            // What keeps a host from starting is told in one line by whoever started it.
            .MinimumLevel.Override("Microsoft.Extensions.Hosting.Internal.Host", LogEventLevel.Fatal)
            .Enrich.FromLogContext()
            .Enrich.WithProperty("Component", component);
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
            configuration.Enrich.With<ReconcileScopeEnricher>().WriteTo.Console(outputTemplate: ConsoleTemplate);
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
