using System.Reflection;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Probes;
using KubeLB.Runtime.Tracing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Hosting;

/// <summary>Settings that all controller processes have.</summary>
/// <param name="Name">Name of the executable and field manager of its writes, for example <c>kubelb-manager</c>.</param>
/// <param name="Assembly">The executable, for its version.</param>
/// <param name="LogLevel">Minimum level that is logged.</param>
/// <param name="MetricsAddress">Address of <c>/metrics</c>; empty or <c>0</c> to disable.</param>
/// <param name="ProbeAddress">Address of <c>/healthz</c> and <c>/readyz</c>; empty or <c>0</c> to disable.</param>
/// <param name="LeaderElection">The Lease; null to write without leader election.</param>
public sealed record ControllerHostOptions(
    string Name,
    Assembly Assembly,
    LogLevel LogLevel,
    string MetricsAddress,
    string ProbeAddress,
    LeaderElectionSettings? LeaderElection
)
{
    /// <summary>Format of the log.</summary>
    public LogFormat LogFormat { get; init; }

    /// <summary>TLS and authentication of <c>/metrics</c>; null for plain HTTP.</summary>
    public MetricsSecurity? MetricsSecurity { get; init; }

    /// <summary>Export of traces; null for none.</summary>
    public TracingOptions? Tracing { get; init; }

    /// <summary>The part of this process in a change, the first word of its spans (<see cref="TracerSettings"/>).</summary>
    public string TracingVerb { get; init; } = "change";

    /// <summary>The tenant of an object, by its namespace, for traces.</summary>
    public Func<string, string?> TenantOf { get; init; } = static _ => null;
}

/// <summary>Creates the host of a controller process: logging, probes, metrics and leader election.</summary>
public static class ControllerHost
{
    /// <summary>Identity of this process in a Lease: the pod's name and a random part.</summary>
    public static string LeaseIdentity() => $"{Environment.MachineName}_{Guid.NewGuid():N}";

    /// <summary>Creates a host builder; clusters and controllers are added by the caller.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="configure">Changes further settings of the runtime.</param>
    public static HostApplicationBuilder CreateBuilder(ControllerHostOptions options, Action<KubeRuntimeOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(options);
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ApplicationName = options.Name });
        builder.Services.AddKubeRuntimeLogging(options.Name, options.LogLevel, options.LogFormat);
        if (options.Tracing is { } tracing)
        {
            AddTracing(builder.Services, options, tracing);
        }

        builder.Services.AddKubeRuntime(runtime =>
        {
            runtime.Component = options.Name.Replace('-', '_');
            runtime.Build = BuildVersion.FromAssembly(options.Assembly);
            runtime.MetricsAddress = options.MetricsAddress;
            runtime.MetricsSecurity = options.MetricsSecurity;
            runtime.ProbeAddress = options.ProbeAddress;

            // A process with outdated caches must not become ready: the manager would send proxies an outdated configuration.
            runtime.NotReadyWhenDisconnected = true;
            runtime.FieldManager = options.Name;
            runtime.LeaderElection = options.LeaderElection;
            configure(runtime);
        });
        return builder;
    }

    private static void AddTracing(IServiceCollection services, ControllerHostOptions options, TracingOptions tracing)
    {
        services.AddSingleton(
            new TracerSettings(
                options.Name,
                BuildVersion.FromAssembly(options.Assembly).Version,
                options.TracingVerb,
                tracing.SamplingRatio,
                options.TenantOf
            )
        );
        services.AddSingleton(tracing);
        services.AddSingleton<TraceExport>();
        services.AddSingleton(provider => provider.GetRequiredService<TraceExport>().Tracer);
    }
}
