using System.CommandLine;
using System.Text.RegularExpressions;
using KubeLB.Api.Naming;
using KubeLB.Ccm.Hosting;
using KubeLB.Runtime.CommandLine;
using Microsoft.Extensions.Logging;
using static KubeLB.Runtime.CommandLine.ControllerOptions;

namespace KubeLB.Ccm.CommandLine;

/// <summary>The CCM's command line: the flags of the wire contract.</summary>
internal sealed partial class CcmCommand
{
    private const string NotYet = "Accepted for compatibility; has no effect in this version.";

    private readonly Option<string> _clusterName = Text(
        "--cluster-name",
        "Name of the tenant that this cluster is registered as (required)"
    );
    private readonly Option<string> _kubelbKubeconfig = Text(
        "--kubelb-kubeconfig",
        "Kubeconfig of the management cluster",
        "/home/nonroot/.kube/kubelb"
    );
    private readonly Option<string> _kubeconfig = Text("--kubeconfig", "Kubeconfig of this cluster; empty for the pod's service account");

    private readonly Option<string> _nodeAddressType = OneOf(
        "--node-address-type",
        "Address of the nodes that traffic is sent to",
        "ExternalIP",
        "ExternalIP",
        "InternalIP",
        "Hostname"
    );

    private readonly Option<string> _nodeSelector = Text(
        "--node-address-label-selector",
        "Label selector of the nodes that traffic is sent to, as kubectl takes it; empty for all"
    );

    private readonly Option<int> _maxNodes = Number(
        "--max-node-address-count",
        "Send traffic to at most this many nodes, spread over zones; 0 for all"
    );

    private readonly Option<bool> _enableGatewayApi = Switch("--enable-gateway-api", "Serve Gateway, HTTPRoute and GRPCRoute");
    private readonly Option<bool> _useGatewayClass = Switch(
        "--use-gateway-class",
        "Serve only Gateways of KubeLB's class; false serves every Gateway",
        true
    );
    private readonly Option<bool> _disableGateway = Switch(
        "--disable-gateway-controller",
        "Leave Gateways alone; what was carried before is cleaned up"
    );
    private readonly Option<bool> _disableHttpRoute = Switch(
        "--disable-httproute-controller",
        "Leave HTTPRoutes alone; what was carried before is cleaned up"
    );
    private readonly Option<bool> _disableGrpcRoute = Switch(
        "--disable-grpcroute-controller",
        "Leave GRPCRoutes alone; what was carried before is cleaned up"
    );
    private readonly Option<bool> _enforceReferenceGrants = Switch(
        "--enforce-reference-grants",
        "Send traffic to a backend of another namespace than the route's only if a ReferenceGrant there permits it"
    );

    private readonly Option<bool> _secretSynchronizer = Switch(
        "--enable-secret-synchronizer",
        "Carry Secrets labelled kubelb.k8c.io/managed-by: kubelb, beside the certificates of listeners"
    );

    private readonly Option<bool> _leaderElection = Switch("--enable-leader-election", "Elect one replica that writes", true);
    private readonly Option<string> _leaderElectionNamespace = Text(
        "--leader-election-namespace",
        "Namespace of the Lease; empty for the pod's own ($NAMESPACE)"
    );
    private readonly Option<string> _metricsAddress = Address("--metrics-addr", "Address of /metrics; 0 switches it off", ":9445");
    private readonly Option<string> _probeAddress = Address(
        "--health-probe-bind-address",
        "Address of /healthz and /readyz; 0 switches it off",
        ":8081"
    );
    private readonly Option<LogLevel> _logLevel = LogLevel();

    private readonly Option[] _compatibility =
    [
        Switch("--install-gateway-api-crds", NotYet),
        Text("--gateway-api-crds-channel", NotYet, "standard"),
        Switch("--disable-ingress-controller", NotYet),
        Switch("--use-loadbalancer-class", NotYet),
        Switch("--use-ingress-class", NotYet, true),
    ];

    public RootCommand Build()
    {
        var command = new RootCommand(
            "KubeLB's agent in a tenant's cluster: carries Gateways and routes to the management cluster, and their status back."
        );
        Option[] options =
        [
            _clusterName,
            _kubelbKubeconfig,
            _kubeconfig,
            _nodeAddressType,
            _nodeSelector,
            _maxNodes,
            _enableGatewayApi,
            _useGatewayClass,
            _disableGateway,
            _disableHttpRoute,
            _disableGrpcRoute,
            _enforceReferenceGrants,
            _secretSynchronizer,
            _leaderElection,
            _leaderElectionNamespace,
            _metricsAddress,
            _probeAddress,
            _logLevel,
            .. _compatibility,
        ];
        foreach (var option in options)
        {
            command.Options.Add(option);
        }

        command.Subcommands.Add(
            CheckCommand.Create(
                "Reports whether this cluster, the CCM and the management cluster see each other; changes nothing",
                [
                    _clusterName,
                    _kubelbKubeconfig,
                    _kubeconfig,
                    _nodeAddressType,
                    _enableGatewayApi,
                    _useGatewayClass,
                    _leaderElection,
                    _leaderElectionNamespace,
                ],
                (parsed, cancellationToken) =>
                {
                    var found = Options(parsed);
                    return ConnectionCheck.CheckAsync(found, CcmConnections.FromKubeconfigs(found), cancellationToken);
                }
            )
        );
        return command;
    }

    public CcmOptions Options(ParseResult parsed)
    {
        var clusterName = parsed.GetValue(_clusterName);
        if (string.IsNullOrWhiteSpace(clusterName))
        {
            throw new UsageException("--cluster-name is required: the name of the Tenant in the management cluster.");
        }

        if (!DnsLabel().IsMatch(TenantNames.Namespace(clusterName)))
        {
            throw new UsageException(
                $"--cluster-name \"{clusterName}\" cannot be a tenant: its namespace {TenantNames.Namespace(clusterName)} would not "
                    + "be a DNS-1123 label (a-z, 0-9 and -, at most 63 characters)."
            );
        }

        var options = new CcmOptions
        {
            ClusterName = clusterName,
            KubelbKubeconfig = parsed.GetValue(_kubelbKubeconfig)!,
            Kubeconfig = parsed.GetValue(_kubeconfig),
            NodeAddressType = parsed.GetValue(_nodeAddressType)!,
            NodeAddressLabelSelector = parsed.GetValue(_nodeSelector)!,
            MaxNodeAddressCount = parsed.GetValue(_maxNodes),
            EnableGatewayApi = parsed.GetValue(_enableGatewayApi),
            UseGatewayClass = parsed.GetValue(_useGatewayClass),
            DisableGatewayController = parsed.GetValue(_disableGateway),
            DisableHttpRouteController = parsed.GetValue(_disableHttpRoute),
            DisableGrpcRouteController = parsed.GetValue(_disableGrpcRoute),
            EnforceReferenceGrants = parsed.GetValue(_enforceReferenceGrants),
            EnableSecretSynchronizer = parsed.GetValue(_secretSynchronizer),
            EnableLeaderElection = parsed.GetValue(_leaderElection),
            LeaderElectionNamespace = parsed.GetValue(_leaderElectionNamespace),
            MetricsAddress = parsed.GetValue(_metricsAddress)!,
            HealthProbeBindAddress = parsed.GetValue(_probeAddress)!,
            LogLevel = parsed.GetValue(_logLevel),
        };
        try
        {
            _ = options.NodeAddresses;
        }
        catch (FormatException e)
        {
            throw new UsageException($"--node-address-label-selector: {e.Message}");
        }

        return options;
    }

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex DnsLabel();
}
