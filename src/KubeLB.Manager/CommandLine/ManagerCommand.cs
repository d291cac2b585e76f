using System.CommandLine;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.CommandLine;
using Microsoft.Extensions.Logging;
using static KubeLB.Runtime.CommandLine.ControllerOptions;

namespace KubeLB.Manager.CommandLine;

/// <summary>The manager's command line: the flags of the wire contract.</summary>
internal sealed class ManagerCommand
{
    private readonly Option<string> _namespace = Text("--namespace", "The manager's namespace: Config and Lease", "kubelb");
    private readonly Option<string> _kubeconfig = Text(
        "--kubeconfig",
        "Kubeconfig of the management cluster; empty for the pod's service account"
    );
    private readonly Option<bool> _enableGatewayApi = Switch("--enable-gateway-api", "Serve Gateway, HTTPRoute and GRPCRoute");
    private readonly Option<bool> _leaderElection = Switch("--enable-leader-election", "Elect one replica that writes", true);
    private readonly Option<bool> _debug = Switch("--debug", "Log at level debug, whatever --zap-log-level says");
    private readonly Option<string> _metricsAddress = Address("--metrics-addr", "Address of /metrics; 0 switches it off", ":9443");
    private readonly Option<string> _probeAddress = Address(
        "--health-probe-bind-address",
        "Address of /healthz, /readyz and, for clients on the loopback interface, /debug/xds; 0 switches it off",
        ":8081"
    );
    private readonly Option<string> _listenAddress = Address("--listen-address", "Address of the xDS server; 0 switches it off", ":8001");
    private readonly Option<bool> _xdsInsecure = Switch(
        "--xds-insecure",
        "Serve xDS in plain text and to everybody, for proxies of the Go manager during a migration"
    );
    private readonly Option<LogLevel> _logLevel = LogLevel();

    public RootCommand Build()
    {
        var command = new RootCommand(
            "KubeLB's manager: turns the tenants' Routes into Envoy Gateway resources and configures their proxies."
        );
        Option[] options =
        [
            _namespace,
            _kubeconfig,
            _enableGatewayApi,
            _leaderElection,
            _debug,
            _metricsAddress,
            _probeAddress,
            _listenAddress,
            _xdsInsecure,
            _logLevel,
        ];
        foreach (var option in options)
        {
            command.Options.Add(option);
        }

        command.Subcommands.Add(
            CheckCommand.Create(
                "Reports whether the management cluster is set up and the tenants' CCMs are seen; changes nothing",
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
            HealthProbeBindAddress = parsed.GetValue(_probeAddress)!,
            ListenAddress = parsed.GetValue(_listenAddress)!,
            XdsInsecure = parsed.GetValue(_xdsInsecure),
            LogLevel = parsed.GetValue(_debug) ? Microsoft.Extensions.Logging.LogLevel.Debug : parsed.GetValue(_logLevel),
        };
}
