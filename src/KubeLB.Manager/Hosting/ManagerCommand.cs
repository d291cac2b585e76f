using System.CommandLine;
using KubeLB.Runtime.CommandLine;
using static KubeLB.Runtime.CommandLine.ControllerOptions;

namespace KubeLB.Manager.Hosting;

/// <summary>Command line of <c>kubelb-manager</c>: the flags of the Go manager, and those of this project.</summary>
internal sealed class ManagerCommand
{
    private readonly Option<string> _namespace = Text(
        "--namespace",
        "Namespace of the manager, with its Config and leader election Lease",
        "kubelb"
    );
    private readonly Option<string> _kubeconfig = Text(
        "--kubeconfig",
        "Path to the kubeconfig of the management cluster; empty to use the pod's service account"
    );
    private readonly Option<bool> _enableGatewayApi = Switch(
        "--enable-gateway-api",
        "Enable the controllers of Routes and of the tenants' proxies"
    );
    private readonly Option<bool> _leaderElection = Switch(
        "--enable-leader-election",
        "Enable leader election; only the leader writes",
        true
    );
    private readonly Option<bool> _debug = Switch("--debug", "Log at level debug; overrides --zap-log-level");
    private readonly Option<string> _metricsAddress = Address("--metrics-addr", "Bind address of /metrics; 0 to disable", ":9443");
    private readonly Option<bool> _metricsSecure = MetricsSecure();
    private readonly Option<string> _metricsCertPath = MetricsCertPath();
    private readonly Option<string> _probeAddress = Address(
        "--health-probe-bind-address",
        "Bind address of /healthz, /readyz and, for clients on the loopback interface, /debug/xds; 0 to disable",
        ":8081"
    );
    private readonly Option<string> _listenAddress = Address("--listen-address", "Bind address of the xDS server; 0 to disable", ":8001");
    private readonly Option<bool> _xdsInsecure = Switch(
        "--xds-insecure",
        "Serve xDS without TLS and authentication, for proxies of the Go manager during a migration"
    );
    private readonly Option<string> _tracingEndpoint = TracingEndpoint();
    private readonly Option<string> _tracingSamplingRatio = TracingSamplingRatio();
    private readonly Option<string> _logLevel = LogLevel();
    private readonly Option<string> _logFormat = LogFormat();

    public RootCommand Build()
    {
        var command = new RootCommand(
            "KubeLB manager of the management cluster. Generates Envoy Gateway resources from the tenants' Routes, and runs and configures "
                + "the tenants' proxies."
        );
        Option[] options =
        [
            _namespace,
            _kubeconfig,
            _enableGatewayApi,
            _leaderElection,
            _debug,
            _metricsAddress,
            _metricsSecure,
            _metricsCertPath,
            _probeAddress,
            _listenAddress,
            _xdsInsecure,
            _tracingEndpoint,
            _tracingSamplingRatio,
            _logLevel,
            _logFormat,
        ];
        foreach (var option in options)
        {
            command.Options.Add(option);
        }

        command.Subcommands.Add(
            CheckCommand.Create(
                "Check the setup of the management cluster and the reports of the tenants' CCMs without changing anything",
                [_namespace, _kubeconfig, _leaderElection],
                (parsed, cancellationToken) => ConnectionCheck.CheckAsync(Options(parsed), cancellationToken)
            )
        );
        return command;
    }

    public ManagerOptions Options(ParseResult parsed) =>
        new()
        {
            Namespace = parsed.GetValue(_namespace)!,
            Kubeconfig = parsed.GetValue(_kubeconfig),
            EnableGatewayApi = parsed.GetValue(_enableGatewayApi),
            EnableLeaderElection = parsed.GetValue(_leaderElection),
            MetricsAddress = parsed.GetValue(_metricsAddress)!,
            MetricsSecure = MetricsSecure(parsed, _metricsSecure, parsed.GetValue(_metricsAddress)!, parsed.GetValue(_probeAddress)!),
            MetricsCertPath = MetricsCertPath(parsed, _metricsSecure, _metricsCertPath),
            HealthProbeBindAddress = parsed.GetValue(_probeAddress)!,
            ListenAddress = parsed.GetValue(_listenAddress)!,
            XdsInsecure = parsed.GetValue(_xdsInsecure),
            LogLevel = parsed.GetValue(_debug) ? Microsoft.Extensions.Logging.LogLevel.Debug : LogLevel(parsed, _logLevel),
            LogFormat = LogFormat(parsed, _logFormat),
            Tracing = Tracing(parsed, _tracingEndpoint, _tracingSamplingRatio),
        };
}
