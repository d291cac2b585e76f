using System.Text.RegularExpressions;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Probes;
using Microsoft.Extensions.Options;

namespace KubeLB.Runtime.Hosting;

/// <summary>Settings of the runtime of a host.</summary>
public sealed class KubeRuntimeOptions
{
    /// <summary>Name of the component and prefix of its metrics, for example <c>kubelb_ccm</c>. Letters, digits and underscores.</summary>
    public string Component { get; set; } = "controller";

    /// <summary>
    /// The version of the executable, for the first log message and the metric <c>build_info</c>; null to omit both.
    /// </summary>
    public BuildVersion? Build { get; set; }

    /// <summary>
    /// Address of <c>/metrics</c>: <c>:9445</c> for all interfaces, <c>127.0.0.1:0</c> for loopback and a free port, empty or <c>0</c> to
    /// disable. Default disabled. If it equals <see cref="ProbeAddress"/>, one listener serves both.
    /// </summary>
    public string MetricsAddress { get; set; } = "";

    /// <summary>
    /// TLS and authentication of <see cref="MetricsAddress"/>; null (the default) for plain HTTP. The probes are always plain HTTP.
    /// </summary>
    public MetricsSecurity? MetricsSecurity { get; set; }

    /// <summary>Address of <c>/healthz</c> and <c>/readyz</c>, in the form of <see cref="MetricsAddress"/>. Default disabled.</summary>
    public string ProbeAddress { get; set; } = "";

    /// <summary>Binds addresses without a host (<c>:8081</c>) to loopback only. Default false.</summary>
    public bool BindLoopbackOnly { get; set; }

    /// <summary>
    /// Whether <c>/readyz</c> fails while a cluster is unavailable, even if its caches have synced. Default false: the process continues to
    /// serve from its caches, and <c>/readyz</c> reports the problem.
    /// </summary>
    public bool NotReadyWhenDisconnected { get; set; }

    /// <summary>
    /// Settings of the leader election; null (the default) to write without a lease. A process that loses the lease stops writing,
    /// continues to serve from its caches, and retries to acquire the lease.
    /// </summary>
    public LeaderElectionSettings? LeaderElection { get; set; }

    /// <summary>Annotation in which the applier stores the record of the last apply. Must be a valid annotation key.</summary>
    public string ApplierAnnotation { get; set; } = "runtime/applied";

    /// <summary>The finalizer that this component sets; the metrics count objects with this finalizer as managed. Empty for none.</summary>
    public string Finalizer { get; set; } = "";

    /// <summary>
    /// The field manager of every write, for <c>managedFields</c>; empty for the API server's default.
    /// </summary>
    public string FieldManager { get; set; } = "";

    /// <summary>The time that running reconciles have to finish when the host stops. Default 10 seconds.</summary>
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(10);
}

/// <summary>Validates settings before the start and reports all errors at once.</summary>
internal sealed partial class KubeRuntimeOptionsValidator : IValidateOptions<KubeRuntimeOptions>
{
    public ValidateOptionsResult Validate(string? name, KubeRuntimeOptions options)
    {
        var problems = new List<string>();
        if (!MetricPrefix().IsMatch(options.Component))
        {
            problems.Add(
                $"Invalid Component \"{options.Component}\": a metric prefix has letters, digits and underscores, and does not start "
                    + "with a digit."
            );
        }

        if (!AnnotationKey().IsMatch(options.ApplierAnnotation))
        {
            problems.Add($"Invalid ApplierAnnotation \"{options.ApplierAnnotation}\": use an annotation key such as example.com/applied.");
        }

        if (options.StopTimeout <= TimeSpan.Zero)
        {
            problems.Add($"Invalid StopTimeout {options.StopTimeout}: must be positive.");
        }

        Address(nameof(options.ProbeAddress), options.ProbeAddress);
        Address(nameof(options.MetricsAddress), options.MetricsAddress);
        // Port 0 is another free port for each listener.
        if (
            options.MetricsSecurity is not null
            && options.MetricsAddress == options.ProbeAddress
            && options.MetricsAddress.Contains(':', StringComparison.Ordinal)
            && !options.MetricsAddress.EndsWith(":0", StringComparison.Ordinal)
        )
        {
            problems.Add(
                $"MetricsAddress and ProbeAddress are both {options.MetricsAddress}: probes use plain HTTP; choose another address for one."
            );
        }

        problems.AddRange(options.LeaderElection?.Problems() ?? []);
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);

        void Address(string name, string text)
        {
            try
            {
                ListenAddress.Parse(text, options.BindLoopbackOnly);
            }
            catch (FormatException e)
            {
                problems.Add($"{name}: {e.Message}");
            }
        }
    }

    [GeneratedRegex("^[a-zA-Z_][a-zA-Z0-9_]*$")]
    private static partial Regex MetricPrefix();

    [GeneratedRegex("^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$")]
    private static partial Regex AnnotationKey();
}
