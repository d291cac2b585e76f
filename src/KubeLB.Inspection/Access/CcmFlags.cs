using System.Globalization;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Naming;
using KubeLB.Translation.Endpoints;
using KubeLB.Translation.Matching;
using KubeLB.Translation.Tenants;

namespace KubeLB.Inspection.Access;

/// <summary>The flags of a CCM that change what it reports, from its Deployment in the tenant's cluster.</summary>
public sealed record CcmFlags
{
    /// <summary>Finds the Deployments of CCMs in any namespace; the chart sets it.</summary>
    public const string Selector = $"{Labels.AppName}=kubelb-ccm";

    private const string ClusterName = "--cluster-name";
    private const string AddressType = "--node-address-type";
    private const string AddressSelector = "--node-address-label-selector";
    private const string MaxAddresses = "--max-node-address-count";
    private const string GatewayApi = "--enable-gateway-api";
    private const string GatewayClass = "--use-gateway-class";
    private const string NoGateways = "--disable-gateway-controller";
    private const string NoHttpRoutes = "--disable-httproute-controller";
    private const string NoGrpcRoutes = "--disable-grpcroute-controller";
    private const string Grants = "--enforce-reference-grants";

    private static readonly Dictionary<string, string> Defaults = new(StringComparer.Ordinal)
    {
        [AddressType] = "ExternalIP",
        [AddressSelector] = "",
        [MaxAddresses] = "0",
        [GatewayClass] = True,
        [NoGateways] = False,
        [NoHttpRoutes] = False,
        [NoGrpcRoutes] = False,
        [Grants] = False,
    };

    private static readonly HashSet<string> Switches = [GatewayApi, .. Defaults.Where(d => d.Value is True or False).Select(d => d.Key)];

    private const string True = "true";
    private const string False = "false";

    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    private CcmFlags() { }

    /// <summary>The Deployment; null if the defaults are assumed.</summary>
    public V1Deployment? Deployment { get; private init; }

    /// <summary>Why the defaults are assumed; null if the flags are known.</summary>
    public string? Assumed { get; private init; }

    /// <summary>The flags that are not the default, as on a command line.</summary>
    public IReadOnlyList<string> Changed =>
        [
            .. Defaults
                .Where(d => Value(d.Key) != d.Value)
                .Select(d => Value(d.Key) == True ? d.Key : $"{d.Key}={Value(d.Key)}")
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>Whether Gateways and routes are reconciled; true if it is not known.</summary>
    public bool IsGatewayApiEnabled => Deployment is null || Value(GatewayApi) == True;

    /// <summary>Whether no pod of the Deployment is ready.</summary>
    public bool IsDown => Deployment is not null && (Deployment.Status?.ReadyReplicas ?? 0) == 0;

    /// <summary>The Tenant of <c>--cluster-name</c>; null if it is not known.</summary>
    public string? Tenant =>
        _values.GetValueOrDefault(ClusterName) is { Length: > 0 } name ? TenantNames.TenantOf(TenantNames.Namespace(name)) : null;

    /// <summary>Which nodes receive traffic.</summary>
    public NodeAddressSettings NodeAddresses
    {
        get
        {
            V1LabelSelector? selector = null;
            try
            {
                selector = LabelSelectors.Parse(Value(AddressSelector));
            }
            catch (FormatException)
            {
                // The CCM does not start with it, so there is no selector to apply.
            }

            return new NodeAddressSettings(
                Value(AddressType),
                selector,
                int.TryParse(Value(MaxAddresses), NumberStyles.None, CultureInfo.InvariantCulture, out var max) ? max : 0
            );
        }
    }

    /// <summary>The flags of the CCM of a Tenant. A cluster has one CCM; with several, that of the Tenant is meant.</summary>
    /// <param name="tenant">The objects of the tenant's cluster.</param>
    /// <param name="tenantNamespace">The tenant's namespace in the management cluster; null if it is not known.</param>
    public static CcmFlags Read(IObjects tenant, string? tenantNamespace)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        var (deployments, unreadable) = tenant.List<V1Deployment>("", Selector);
        var found = deployments.Select(Of).OfType<CcmFlags>().ToList();
        var own = tenantNamespace is null ? null : found.Find(f => f.Tenant == TenantNames.TenantOf(tenantNamespace));
        return own
            ?? found.FirstOrDefault()
            ?? new CcmFlags { Assumed = unreadable ?? $"the tenant cluster has no Deployment with label {Selector}" };
    }

    /// <summary>The settings with which the CCM judges objects.</summary>
    /// <param name="tenantNamespace">The tenant's namespace in the management cluster.</param>
    public TenantSettings Settings(string tenantNamespace) =>
        new(tenantNamespace, Value(GatewayClass) == True, Value(Grants) == True)
        {
            IsGatewayControllerEnabled = Value(NoGateways) != True,
            IsHttpRouteControllerEnabled = Value(NoHttpRoutes) != True,
            IsGrpcRouteControllerEnabled = Value(NoGrpcRoutes) != True,
        };

    private static CcmFlags? Of(V1Deployment deployment)
    {
        var command = (deployment.Spec?.Template?.Spec?.Containers ?? [])
            .Select(c => (c.Command ?? []).Concat(c.Args ?? []).ToList())
            .FirstOrDefault(c => c.Exists(a => a.StartsWith(ClusterName, StringComparison.Ordinal)));
        if (command is null)
        {
            return null;
        }

        var flags = new CcmFlags { Deployment = deployment };
        for (var i = 0; i < command.Count; i++)
        {
            var parts = command[i].Split('=', 2);
            var next = i + 1 < command.Count ? command[i + 1] : "";
            // As on the command line of the CCM: a switch alone is true, and a value may follow as an argument of its own.
            flags._values[parts[0]] =
                parts.Length == 2 ? parts[1]
                : Switches.Contains(parts[0]) && next is not (True or False) ? True
                : next;
        }

        return flags;
    }

    private string Value(string flag) => _values.GetValueOrDefault(flag) ?? Defaults.GetValueOrDefault(flag, False);
}
