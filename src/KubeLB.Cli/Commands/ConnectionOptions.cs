using System.CommandLine;
using k8s;
using KubeLB.Api.Naming;
using KubeLB.Inspection.Access;
using KubeLB.Runtime.Connections;
using static KubeLB.Runtime.CommandLine.ControllerOptions;

namespace KubeLB.Cli.Commands;

/// <summary>The options of commands that read both clusters.</summary>
internal sealed class ConnectionOptions
{
    /// <summary>The user agent of requests.</summary>
    public const string UserAgent = "kubelb";

    /// <summary>The environment variable with the kubeconfig of the management cluster.</summary>
    public const string ManagementVariable = "KUBELB_MANAGEMENT_KUBECONFIG";

    private readonly Option<string> _kubeconfig = Text(
        "--kubeconfig",
        "Kubeconfig of the tenant's cluster; that of kubectl by default, unless it is of the management cluster"
    );
    private readonly Option<string> _context = Text("--context", "Context of the tenant's cluster in its kubeconfig");
    private readonly Option<string> _managementKubeconfig = Text(
        "--management-kubeconfig",
        "Kubeconfig of the management cluster; " + ManagementVariable + " is its default"
    );
    private readonly Option<string> _managementContext = Text(
        "--management-context",
        "Context of the management cluster in its kubeconfig, or in that of kubectl"
    );
    private readonly Option<string> _tenant = Text("--tenant", "Name of the Tenant; needed if objects of several tenants have the name");

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _kubeconfig, _context, _managementKubeconfig, _managementContext, _tenant })
        {
            command.Options.Add(option);
        }
    }

    /// <summary>The tenant's namespace in the management cluster; null if none is given.</summary>
    public string? TenantNamespace(ParseResult parsed) =>
        parsed.GetValue(_tenant) is { Length: > 0 } tenant ? TenantNames.Namespace(tenant) : null;

    /// <summary>Connects to the clusters that the options name.</summary>
    public ClusterConnections Open(ParseResult parsed)
    {
        var (tenant, management) = Connect(parsed);
        return ClusterConnections.Open(tenant, management);
    }

    /// <summary>The connections to the clusters that the options name; null for a cluster without a kubeconfig.</summary>
    public (IKubernetes? Tenant, IKubernetes? Management) Connect(ParseResult parsed)
    {
        var managementFile = Value(parsed, _managementKubeconfig) ?? Environment.GetEnvironmentVariable(ManagementVariable);
        var management =
            managementFile is { Length: > 0 } || Value(parsed, _managementContext) is not null
                ? Kubeconfig.Configuration(managementFile, UserAgent, Value(parsed, _managementContext))
                : null;
        var tenant = Tenant(parsed, management);
        return (tenant is null ? null : new Kubernetes(tenant), management is null ? null : new Kubernetes(management));
    }

    // The kubeconfig of kubectl may be that of the management cluster, or missing, for an administrator without access to tenants.
    private KubernetesClientConfiguration? Tenant(ParseResult parsed, KubernetesClientConfiguration? management)
    {
        var (file, context) = (Value(parsed, _kubeconfig), Value(parsed, _context));
        try
        {
            var tenant = Kubeconfig.Configuration(file, UserAgent, context);
            return file is null && context is null && tenant.Host == management?.Host ? null : tenant;
        }
        catch (KubeconfigException)
            when (file is null
                && context is null
                && management is not null
                && Environment.GetEnvironmentVariable(Kubeconfig.EnvironmentVariable) is not { Length: > 0 }
            )
        {
            return null;
        }
    }

    private static string? Value(ParseResult parsed, Option<string> option) =>
        parsed.GetValue(option) is { Length: > 0 } value ? value : null;
}
