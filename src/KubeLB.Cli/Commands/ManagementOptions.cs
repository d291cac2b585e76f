using System.CommandLine;
using k8s;
using KubeLB.Inspection.Access;
using KubeLB.Runtime.Connections;
using static KubeLB.Runtime.CommandLine.ControllerOptions;

namespace KubeLB.Cli.Commands;

/// <summary>The options of commands for administrators, which use the management cluster only.</summary>
internal sealed class ManagementOptions
{
    private readonly Option<string> _kubeconfig = Text(
        "--management-kubeconfig",
        "Kubeconfig of the management cluster; KUBELB_MANAGEMENT_KUBECONFIG is its default, else that of kubectl"
    );
    private readonly Option<string> _context = Text("--management-context", "Context of the management cluster in its kubeconfig");
    private readonly Option<string> _managerNamespace = InstallationOptions.Manager();

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="readsManager">Whether it reads the namespace of the manager.</param>
    public void AddTo(Command command, bool readsManager = true)
    {
        foreach (var option in new Option[] { _kubeconfig, _context }.Concat(readsManager ? [_managerNamespace] : []))
        {
            command.Options.Add(option);
        }
    }

    /// <summary>Namespace of the manager.</summary>
    public string ManagerNamespace(ParseResult parsed) => parsed.GetValue(_managerNamespace)!;

    /// <summary>Connects.</summary>
    public ClusterConnections Open(ParseResult parsed)
    {
        var file = parsed.GetValue(_kubeconfig) is { Length: > 0 } value
            ? value
            : Environment.GetEnvironmentVariable(ConnectionOptions.ManagementVariable);
        var context = parsed.GetValue(_context) is { Length: > 0 } named ? named : null;
        return ClusterConnections.Open(tenant: null, new Kubernetes(Kubeconfig.Configuration(file, ConnectionOptions.UserAgent, context)));
    }
}
