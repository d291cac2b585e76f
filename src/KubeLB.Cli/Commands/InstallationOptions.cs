using System.CommandLine;
using KubeLB.Inspection.Tracing;
using static KubeLB.Runtime.CommandLine.ControllerOptions;

namespace KubeLB.Cli.Commands;

/// <summary>The options that tell where the parts of an installation are in the management cluster.</summary>
internal sealed class InstallationOptions
{
    private readonly Option<string> _manager = Manager();
    private readonly Option<string> _envoyGateway = Text(
        "--envoy-gateway-namespace",
        "Namespace of Envoy Gateway and its proxies",
        "envoy-gateway-system"
    );

    /// <summary><c>--manager-namespace</c>.</summary>
    public static Option<string> Manager() => Text("--manager-namespace", "Namespace of the manager and its Config", "kubelb");

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_manager);
        command.Options.Add(_envoyGateway);
    }

    /// <summary>Namespace of the manager.</summary>
    public string ManagerNamespace(ParseResult parsed) => parsed.GetValue(_manager)!;

    /// <summary>Namespace of Envoy Gateway.</summary>
    public string EnvoyGatewayNamespace(ParseResult parsed) => parsed.GetValue(_envoyGateway)!;

    /// <summary>The settings of a trace.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="tenantNamespace">The tenant's namespace in the management cluster; null to find it.</param>
    public TraceSettings TraceSettings(ParseResult parsed, string? tenantNamespace) =>
        new()
        {
            TenantNamespace = tenantNamespace,
            ManagerNamespace = ManagerNamespace(parsed),
            EnvoyGatewayNamespace = EnvoyGatewayNamespace(parsed),
        };
}
