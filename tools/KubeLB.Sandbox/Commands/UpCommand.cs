using System.CommandLine;
using KubeLB.Ccm.Hosting;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.CommandLine;
using KubeLB.Sandbox.Activity;
using KubeLB.Sandbox.Composition;
using KubeLB.Sandbox.Proxies.Processes;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Commands;

/// <summary><c>kubelb-sandbox up</c>.</summary>
internal static class UpCommand
{
    private const string AnyPort = "127.0.0.1:0";

    private static readonly Option<string?> Dir = new("--dir")
    {
        Description = "Directory for kubeconfigs, examples and logs; created if missing [default: a new temporary directory]",
        HelpName = "DIR",
    };

    private static readonly Option<int> Tenants = WholeNumber.Option(
        "--tenants",
        "Number of tenants, each with a cluster and a CCM (1-50)",
        "N",
        defaultValue: 1,
        minimum: 1,
        maximum: 50
    );

    private static readonly Option<bool> Verbose = new("--verbose") { Description = "Log to the console instead of files" };

    private static readonly Option<bool> PrintsRequests = ControllerOptions.Switch(
        "--access-log",
        $"Print requests with their path, at most {AccessLog.MaxPerSecond} per second; the file {AccessLog.FileName} has all of them",
        true
    );

    private static readonly Option<string[]> CcmArguments = Arguments("--ccm-arg", "CCMs", "--enforce-reference-grants");

    private static readonly Option<string[]> ManagerArguments = Arguments("--manager-arg", "manager", "--zap-log-level=debug");

    private static readonly Option<string> TracingEndpoint = ControllerOptions.TracingEndpoint();

    private static readonly EnvoyOption Envoy = new();

    /// <summary>The command.</summary>
    public static Command Build()
    {
        var command = new Command("up", "Run a sandbox until Ctrl-C, for use with kubectl and curl");
        command.Options.Add(Dir);
        command.Options.Add(Tenants);
        Envoy.AddTo(command);
        command.Options.Add(Verbose);
        command.Options.Add(PrintsRequests);
        command.Options.Add(CcmArguments);
        command.Options.Add(ManagerArguments);
        command.Options.Add(TracingEndpoint);
        command.SetAction((parsed, _) => SandboxProgram.GuardAsync(stop => RunAsync(Read(parsed), stop)));
        return command;
    }

    private static UpSettings Read(ParseResult parsed) =>
        new(
            parsed.GetValue(Dir),
            parsed.GetValue(Tenants),
            Envoy.Read(parsed),
            parsed.GetValue(Verbose),
            parsed.GetValue(PrintsRequests),
            WithTracing(parsed, parsed.GetValue(CcmArguments)!),
            WithTracing(parsed, parsed.GetValue(ManagerArguments)!)
        );

    // The flag of one component takes precedence.
    private static string[] WithTracing(ParseResult parsed, string[] arguments)
    {
        var flag = $"{TracingEndpoint.Name}={parsed.GetValue(TracingEndpoint)}";
        return
            parsed.GetValue(TracingEndpoint) is not { Length: > 0 }
            || arguments.Any(a => a.StartsWith($"{TracingEndpoint.Name}=", StringComparison.Ordinal))
            ? arguments
            : [flag, .. arguments];
    }

    private static Option<string[]> Arguments(string name, string component, string example) =>
        new(name)
        {
            Description = $"Flag of the {component}, for example {name}={example}; may be repeated",
            HelpName = "FLAG",
            DefaultValueFactory = _ => [],
        };

    private static async Task<int> RunAsync(UpSettings settings, CancellationToken stop)
    {
        // Invalid flags are reported before anything starts.
        _ = ControllerArguments.Apply(new CcmOptions { ClusterName = "t1" }, settings.CcmArguments);
        _ = ControllerArguments.Apply(new ManagerOptions(), settings.ManagerArguments);
        var output = new Output();
        using var folder = SandboxFolder.Open(settings.Dir);
        var progress = new StartProgress(output);
        using var accessLog = new AccessLog(
            Path.Combine(folder.FullPath, AccessLog.FileName),
            settings.PrintsRequests ? output.Timed : null,
            TimeProvider.System
        );
        var options = new SandboxOptions
        {
            Tenants = settings.Tenants,
            Envoy = settings.Envoy.Path,
            LogDirectory = settings.Verbose ? null : folder.FullPath,
            KubeconfigDirectory = folder.FullPath,
            Logging = settings.Verbose ? ConsoleLogging : null,
            Notice = sentence => output.Line(sentence),
            Progress = progress.Starting,
            StateChanged = (tenant, line) => output.Timed(settings.Tenants == 1 ? line : $"{tenant.Name}: {line}"),
            Accessed = accessLog.Add,
            Ccm = ccm => ControllerArguments.Apply(ccm, settings.CcmArguments),
            Manager = manager =>
                ControllerArguments.Apply(
                    manager with
                    {
                        MetricsAddress = AnyPort,
                        HealthProbeBindAddress = AnyPort,
                    },
                    settings.ManagerArguments
                ),
        };
        await ProxyProcesses.RemoveLeftoversAsync(stop).ConfigureAwait(false);
        await using var sandbox = await SandboxEnvironment.StartAsync(options, stop).ConfigureAwait(false);
        var example = folder.Write(sandbox);
        await using var dashboard = await SandboxDashboard.StartAsync(sandbox, stop).ConfigureAwait(false);
        new UpScreen(output, folder, sandbox).Print(example, settings.Envoy.Reason, hasComponentLogs: !settings.Verbose);
        output.Line($"dashboard: {dashboard.Url}");
        output.Line($"ready after {progress.Seconds:0.0} s; Ctrl-C or kill {Environment.ProcessId} stops the sandbox");
        try
        {
            await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) { }

        output.Line("stopping");
        return SandboxExitCodes.Ok;
    }

    private static void ConsoleLogging(ILoggingBuilder logging) =>
        logging.AddSimpleConsole(o =>
        {
            o.SingleLine = true;
            o.TimestampFormat = "HH:mm:ss.fff ";
        });

    private sealed record UpSettings(
        string? Dir,
        int Tenants,
        (string? Path, string Reason) Envoy,
        bool Verbose,
        bool PrintsRequests,
        string[] CcmArguments,
        string[] ManagerArguments
    );
}
