using System.CommandLine;
using KubeLB.Manager.Hosting;
using Microsoft.Extensions.Logging;
using static KubeLB.Runtime.CommandLine.ControllerOptions;

namespace KubeLB.Manager.CommandLine;

/// <summary>The manager's command line: the flags of the wire contract.</summary>
internal sealed class ManagerCommand
{
    private readonly Option<string> _namespace = Text("--namespace", "The manager's namespace: Config and Lease", "kubelb");
    private readonly Option<string> _kubeconfig = Text("--kubeconfig", "Kubeconfig of the management cluster; empty for the pod's service account");
    private readonly Option<bool> _enableGatewayApi = Switch("--enable-gateway-api", "Serve Gateway, HTTPRoute and GRPCRoute");
    private readonly Option<bool> _leaderElection = Switch("--enable-leader-election", "Elect one replica that writes", true);
    private readonly Option<bool> _debug = Switch("--debug", "Log at level debug, whatever --zap-log-level says");
    private readonly Option<string> _metricsAddress = Address("--metrics-addr", "Address of /metrics; 0 switches it off", ":9443");
    private readonly Option<string> _probeAddress = Address("--health-probe-bind-address", "Address of /healthz and /readyz; 0 switches it off", ":8081");
    private readonly Option<string> _listenAddress = Text("--listen-address", "Address of the xDS server; accepted for compatibility, has no effect in this version", ":8001");
    private readonly Option<LogLevel> _logLevel = LogLevel();

    public RootCommand Build()
    {
        var command = new RootCommand("KubeLB's manager: turns the tenants' Routes into Envoy Gateway resources and configures their proxies.");
        Option[] options = [_namespace, _kubeconfig, _enableGatewayApi, _leaderElection, _debug, _metricsAddress, _probeAddress, _listenAddress, _logLevel];
        foreach (var option in options)
        {
            command.Options.Add(option);
        }

        return command;
    }

    public ManagerOptions Options(ParseResult parsed) => new()
    {
        Namespace = parsed.GetValue(_namespace)!,
        Kubeconfig = parsed.GetValue(_kubeconfig),
        EnableGatewayApi = parsed.GetValue(_enableGatewayApi),
        EnableLeaderElection = parsed.GetValue(_leaderElection),
        MetricsAddress = parsed.GetValue(_metricsAddress)!,
        HealthProbeBindAddress = parsed.GetValue(_probeAddress)!,
        LogLevel = parsed.GetValue(_debug) ? Microsoft.Extensions.Logging.LogLevel.Debug : parsed.GetValue(_logLevel),
    };
}
