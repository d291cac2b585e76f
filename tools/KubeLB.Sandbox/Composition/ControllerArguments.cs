using System.CommandLine;
using KubeLB.Ccm.Hosting;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.CommandLine;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Composition;

/// <summary>Adds flags of the CCM and the manager to the settings of the sandbox. The parsers of the executables parse them.</summary>
internal static class ControllerArguments
{
    private static readonly string[] FixedOfCcm = ["--cluster-name", "--kubeconfig", "--kubelb-kubeconfig", "--log-format"];
    private static readonly string[] FixedOfManager = ["--kubeconfig", "--log-format", "--namespace", "--xds-insecure"];

    /// <summary>The settings of a CCM with additional flags.</summary>
    /// <exception cref="UsageException">The CCM rejects the flags, or the sandbox does not support them.</exception>
    public static CcmOptions Apply(CcmOptions options, IReadOnlyList<string> arguments)
    {
        if (arguments.Count == 0)
        {
            return options;
        }

        var command = new CcmCommand();
        return Explained(
            "kubelb-ccm",
            () =>
                command.Options(
                    Parse(
                        command.Build(),
                        [
                            $"--cluster-name={options.ClusterName}",
                            .. Common(
                                options.EnableGatewayApi,
                                options.EnableLeaderElection,
                                options.MetricsAddress,
                                options.HealthProbeBindAddress,
                                options.LogLevel
                            ),
                        ],
                        arguments,
                        FixedOfCcm
                    )
                ) with
                {
                    DrainingNodePorts = options.DrainingNodePorts,
                }
        );
    }

    /// <summary>The settings of the manager with additional flags.</summary>
    /// <exception cref="UsageException">The manager rejects the flags, or the sandbox does not support them.</exception>
    public static ManagerOptions Apply(ManagerOptions options, IReadOnlyList<string> arguments)
    {
        if (arguments.Count == 0)
        {
            return options;
        }

        var command = new ManagerCommand();
        return Explained(
            "kubelb-manager",
            () =>
                command.Options(
                    Parse(
                        command.Build(),
                        [
                            $"--namespace={options.Namespace}",
                            $"--listen-address={options.ListenAddress}",
                            .. Common(
                                options.EnableGatewayApi,
                                options.EnableLeaderElection,
                                options.MetricsAddress,
                                options.HealthProbeBindAddress,
                                options.LogLevel
                            ),
                        ],
                        arguments,
                        FixedOfManager
                    )
                ) with
                {
                    ServiceDrain = options.ServiceDrain,
                }
        );
    }

    private static string[] Common(bool gatewayApi, bool leaderElection, string metrics, string probe, LogLevel level) =>
        [
            $"--enable-gateway-api={gatewayApi}",
            $"--enable-leader-election={leaderElection}",
            $"--metrics-addr={(metrics.Length == 0 ? "0" : metrics)}",
            $"--health-probe-bind-address={(probe.Length == 0 ? "0" : probe)}",
            $"--zap-log-level={level}",
        ];

    private static ParseResult Parse(RootCommand command, IEnumerable<string> own, IReadOnlyList<string> arguments, string[] isFixed)
    {
        command.SetAction(_ => { });
        var given = arguments.Select(NameOf).ToHashSet(StringComparer.Ordinal);
        if (isFixed.FirstOrDefault(given.Contains) is { } name)
        {
            throw new UsageException($"{name} cannot be changed in the sandbox; remove it.");
        }

        // The flag of the user replaces that of the sandbox.
        var parsed = ControllerProgram.Parse(command, [.. own.Where(argument => !given.Contains(NameOf(argument))), .. arguments]);
        return parsed.Action == command.Action
            ? parsed
            : throw new UsageException($"Only flags are supported in the sandbox, not {string.Join(' ', arguments)}.");
    }

    private static string NameOf(string argument) => "--" + argument.TrimStart('-').Split('=')[0];

    private static T Explained<T>(string executable, Func<T> parse)
    {
        try
        {
            return parse();
        }
        catch (UsageException e)
        {
            throw new UsageException($"{executable}: {e.Message}");
        }
    }
}
