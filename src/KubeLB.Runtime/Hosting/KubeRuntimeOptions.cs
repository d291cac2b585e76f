using KubeLB.Runtime.LeaderElection;

namespace KubeLB.Runtime.Hosting;

/// <summary>Settings of one host's runtime.</summary>
public sealed class KubeRuntimeOptions
{
    /// <summary>Name of the component and prefix of its metrics, for example <c>kubelb_ccm</c>. Letters, digits and underscores.</summary>
    public string Component { get; set; } = "controller";

    /// <summary>
    /// What this executable was built from: named by the log at the start and by the metric <c>build_info</c>; null for neither.
    /// </summary>
    public BuildVersion? Build { get; set; }

    /// <summary>
    /// Address of <c>/metrics</c>: <c>:9445</c> for all interfaces, <c>127.0.0.1:0</c> for loopback and a free port, empty or <c>0</c> to
    /// disable. Default disabled. If it equals <see cref="ProbeAddress"/>, one listener serves both.
    /// </summary>
    public string MetricsAddress { get; set; } = "";

    /// <summary>Address of <c>/healthz</c> and <c>/readyz</c>, in the form of <see cref="MetricsAddress"/>. Default disabled.</summary>
    public string ProbeAddress { get; set; } = "";

    /// <summary>Binds addresses without a host (<c>:8081</c>) to loopback only. Default false.</summary>
    public bool BindLoopbackOnly { get; set; }

    /// <summary>
    /// Whether <c>/readyz</c> fails while a cluster whose caches have synced once cannot be used: for a process that is of no use without
    /// it. Default false: what is served from the caches goes on, and the answer names the problem.
    /// </summary>
    public bool NotReadyWhenDisconnected { get; set; }

    /// <summary>
    /// Elects one writer; null (the default) to write without a lease. A process that loses the lease stops writing, keeps its caches and
    /// what it serves from them, and stands for election again.
    /// </summary>
    public LeaderElectionSettings? LeaderElection { get; set; }

    /// <summary>Annotation in which the applier remembers what it last applied. Must be a valid annotation key.</summary>
    public string ApplierAnnotation { get; set; } = "runtime/applied";

    /// <summary>The finalizer by which this component holds objects of others, counted as managed in the metrics; empty for none.</summary>
    public string Finalizer { get; set; } = "";

    /// <summary>
    /// Sent as <c>fieldManager</c> with every write, so that <c>managedFields</c> names us; empty for the API server's default.
    /// </summary>
    public string FieldManager { get; set; } = "";

    /// <summary>How long running reconciles may take to finish after a stop was asked for. Default 10 seconds.</summary>
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(10);
}
