using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Logging;

/// <summary>Sets up logging with Serilog.</summary>
public static class KubeRuntimeLoggingExtensions
{
    /// <summary>
    /// Logs to standard output through a Serilog logger of this host alone: compact JSON, one event a line, or text for people.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="component">Added to every event as <c>Component</c>.</param>
    /// <param name="level">The lowest level that is logged.</param>
    /// <param name="json">Null (the default) for JSON in a cluster or when standard output is not a terminal, text otherwise.</param>
    public static IServiceCollection AddKubeRuntimeLogging(
        this IServiceCollection services, string component, LogLevel level = LogLevel.Information, bool? json = null) =>
        throw new NotImplementedException();
}
