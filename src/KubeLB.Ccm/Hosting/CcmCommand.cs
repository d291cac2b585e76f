using System.CommandLine;
using KubeLB.Api.Naming;
using KubeLB.Runtime.CommandLine;
using static KubeLB.Runtime.CommandLine.ControllerOptions;

namespace KubeLB.Ccm.Hosting;

/// <summary>Command line of <c>kubelb-ccm</c>: the flags of the Go CCM, and those of this project.</summary>
internal sealed class CcmCommand
{
    private const string Ignored = "Accepted for compatibility and ignored.";

    private readonly Option<string> _clusterName = Text(
        "--cluster-name",
        "Name of the Tenant in the management cluster, with or without the prefix \"tenant-\" (required)"
    );
    private readonly Option<string> _kubelbKubeconfig = Text(
        "--kubelb-kubeconfig",
        "Path to the kubeconfig of the management cluster",
        "/home/nonroot/.kube/kubelb"
    );
    private readonly Option<string> _kubeconfig = Text(
        "--kubeconfig",
        "Path to the kubeconfig of the tenant's cluster; empty to use the pod's service account"
    );

    private readonly Option<string> _nodeAddressType = OneOf(
        "--node-address-type",
        "Type of the node addresses to which traffic is sent",
        "ExternalIP",
        "ExternalIP",
        "InternalIP",
        "Hostname"
    );

    private readonly Option<string> _nodeSelector = Text(
        "--node-address-label-selector",
        "Label selector (kubectl syntax) of the nodes to which traffic is sent; empty for all nodes"
    );

    private readonly Option<int> _maxNodes = Number(
        "--max-node-address-count",
        "Maximum number of nodes to which traffic is sent, spread over zones; 0 for no limit"
    );

    private readonly Option<bool> _enableGatewayApi = Switch(
        "--enable-gateway-api",
        "Enable the controllers of Gateways, HTTPRoutes and GRPCRoutes"
    );
    private readonly Option<bool> _useGatewayClass = Switch(
        "--use-gateway-class",
        "Reconcile only Gateways whose GatewayClass has KubeLB's controllerName; false reconciles all Gateways",
        true
    );
    private readonly Option<bool> _disableGateway = Switch(
        "--disable-gateway-controller",
        "Disable the controller of Gateways and remove their Routes from the management cluster"
    );
    private readonly Option<bool> _disableHttpRoute = Switch(
        "--disable-httproute-controller",
        "Disable the controller of HTTPRoutes and remove their Routes from the management cluster"
    );
    private readonly Option<bool> _disableGrpcRoute = Switch(
        "--disable-grpcroute-controller",
        "Disable the controller of GRPCRoutes and remove their Routes from the management cluster"
    );
    private readonly Option<bool> _enforceReferenceGrants = Switch(
        "--enforce-reference-grants",
        "Require a ReferenceGrant for backends in another namespace than the route's"
    );

    private readonly Option<bool> _secretSynchronizer = Switch(
        "--enable-secret-synchronizer",
        "Copy Secrets with the label kubelb.k8c.io/managed-by=kubelb to the management cluster, in addition to listener certificates"
    );

    private readonly Option<bool> _leaderElection = Switch(
        "--enable-leader-election",
        "Enable leader election; only the leader writes",
        true
    );
    private readonly Option<string> _leaderElectionNamespace = Text(
        "--leader-election-namespace",
        "Namespace of the leader election Lease; empty for $NAMESPACE, or kube-system if that is not set"
    );
    private readonly Option<string> _metricsAddress = Address("--metrics-addr", "Bind address of /metrics; 0 to disable", ":9445");
    private readonly Option<bool> _metricsSecure = MetricsSecure();
    private readonly Option<string> _metricsCertPath = MetricsCertPath();
    private readonly Option<string> _probeAddress = Address(
        "--health-probe-bind-address",
        "Bind address of /healthz and /readyz; 0 to disable",
        ":8081"
    );
    private readonly Option<string> _tracingEndpoint = TracingEndpoint();
    private readonly Option<string> _tracingSamplingRatio = TracingSamplingRatio();
    private readonly Option<string> _logLevel = LogLevel();
    private readonly Option<string> _logFormat = LogFormat();

    private readonly Option[] _compatibility =
    [
        Switch("--install-gateway-api-crds", Ignored),
        Text("--gateway-api-crds-channel", Ignored, "standard"),
        Switch("--disable-ingress-controller", Ignored),
        Switch("--use-loadbalancer-class", Ignored),
        Switch("--use-ingress-class", Ignored, true),
    ];

    public RootCommand Build()
    {
        var command = new RootCommand(
            "KubeLB cloud controller manager (CCM) of a tenant's cluster. Copies Gateways, HTTPRoutes and GRPCRoutes to the management "
                + "cluster and reports their status."
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
            _metricsSecure,
            _metricsCertPath,
            _probeAddress,
            _tracingEndpoint,
            _tracingSamplingRatio,
            _logLevel,
            _logFormat,
            .. _compatibility,
        ];
        foreach (var option in options)
        {
            command.Options.Add(option);
        }

        command.Subcommands.Add(
            CheckCommand.Create(
                "Check the connections between the tenant's cluster, the CCM and the management cluster without changing anything",
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
                    var ccmOptions = Options(parsed);
                    return ConnectionCheck.CheckAsync(ccmOptions, CcmConnections.FromKubeconfigs(ccmOptions), cancellationToken);
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
            throw new UsageException("--cluster-name is required. Set it to the name of the Tenant in the management cluster.");
        }

        if (!DnsNames.IsLabel(TenantNames.Namespace(clusterName)))
        {
            throw new UsageException(
                $"Invalid --cluster-name \"{clusterName}\": the tenant's namespace {TenantNames.Namespace(clusterName)} must be a DNS-1123 "
                    + "label (a-z, 0-9 and -, at most 63 characters)."
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
            MetricsSecure = MetricsSecure(parsed, _metricsSecure, parsed.GetValue(_metricsAddress)!, parsed.GetValue(_probeAddress)!),
            MetricsCertPath = MetricsCertPath(parsed, _metricsSecure, _metricsCertPath),
            HealthProbeBindAddress = parsed.GetValue(_probeAddress)!,
            LogLevel = LogLevel(parsed, _logLevel),
            LogFormat = LogFormat(parsed, _logFormat),
            Tracing = Tracing(parsed, _tracingEndpoint, _tracingSamplingRatio),
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
}
