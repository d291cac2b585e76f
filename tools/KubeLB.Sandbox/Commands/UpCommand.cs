using System.CommandLine;
using System.Diagnostics;
using KubeLB.Runtime.Hosting;
using KubeLB.Sandbox.Composition;
using KubeLB.Sandbox.Proxies.Processes;
using Microsoft.Extensions.DependencyInjection;
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

    private static readonly EnvoyOption Envoy = new();

    /// <summary>The command.</summary>
    public static Command Build()
    {
        var command = new Command("up", "Run a sandbox until Ctrl-C, for use with kubectl and curl");
        command.Options.Add(Dir);
        command.Options.Add(Tenants);
        Envoy.AddTo(command);
        command.Options.Add(Verbose);
        command.SetAction(
            (parsed, _) =>
                SandboxProgram.GuardAsync(stop =>
                    RunAsync(parsed.GetValue(Dir), parsed.GetValue(Tenants), parsed.GetValue(Verbose), Envoy.Read(parsed), stop)
                )
        );
        return command;
    }

    private static async Task<int> RunAsync(
        string? dir,
        int tenants,
        bool verbose,
        (string? Path, string Reason) envoy,
        CancellationToken stop
    )
    {
        var clock = Stopwatch.StartNew();
        var output = new Output();
        using var folder = SandboxFolder.Open(dir);
        var options = new SandboxOptions
        {
            Tenants = tenants,
            Envoy = envoy.Path,
            LogDirectory = verbose ? null : folder.FullPath,
            KubeconfigDirectory = folder.FullPath,
            Logging = verbose ? ConsoleLogging : null,
            Notice = sentence => output.Line(sentence),
            Manager = manager => manager with { MetricsAddress = AnyPort, HealthProbeBindAddress = AnyPort },
        };
        await ProxyProcesses.RemoveLeftoversAsync(stop).ConfigureAwait(false);
        await using var sandbox = await SandboxEnvironment.StartAsync(options, stop).ConfigureAwait(false);
        var example = folder.Write(sandbox);
        await using var dashboard = await SandboxDashboard.StartAsync(sandbox, stop).ConfigureAwait(false);
        PrintInstructions(output, folder, sandbox, example, envoy.Reason);
        output.Line($"dashboard: {dashboard.Url}");
        output.Line($"ready after {clock.Elapsed.TotalSeconds:0.0} s; Ctrl-C or kill {Environment.ProcessId} stops the sandbox");
        try
        {
            await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) { }

        output.Line("stopping");
        return 0;
    }

    private static void ConsoleLogging(ILoggingBuilder logging) =>
        logging.AddSimpleConsole(o =>
        {
            o.SingleLine = true;
            o.TimestampFormat = "HH:mm:ss.fff ";
        });

    private static void PrintInstructions(Output output, SandboxFolder folder, SandboxEnvironment sandbox, string example, string reason)
    {
        output.Heading($"KubeLB sandbox in {folder.FullPath}");
        var rows = sandbox.Tenants.Select(
            (tenant, index) =>
                new[] { $"tenant {tenant.Name}", $"{tenant.Cluster.Url}", $"node {tenant.NodeAddress}", folder.TenantKubeconfig(index) }
        );
        output.Table(
            ["CLUSTER", "API SERVER", "NODE", "KUBECONFIG"],
            rows.Append(["management", $"{sandbox.Management.Url}", "", folder.ManagementKubeconfig])
        );

        output.Line();
        output.Line($"Tenant proxies: {sandbox.Proxies ?? $"stand-in ({reason})"}");
        output.Heading("Try the documentation's first example");
        output.Command($"export KUBECONFIG={folder.TenantKubeconfig(0)}");
        output.Command($"kubectl apply -f {example}");
        output.Command("kubectl wait gateway my-gateway --for=condition=Programmed");
        output.Command("kubectl get gateway,httproute,deployment,pods");
        output.Command(
            "curl -f --retry 9 --retry-delay 1 --retry-all-errors -H \"Host: api.example.com\" http://$(kubectl get gateway "
                + "my-gateway -o jsonpath='{.status.addresses[0].value}')"
        );
        output.Heading("View the generated objects in the management cluster");
        output.Command(
            $"kubectl --kubeconfig {folder.ManagementKubeconfig} -n {sandbox.Tenants[0].Namespace} get routes,gateways,httproutes,services"
        );
        if (sandbox.Proxies is not null)
        {
            output.Command(
                $"kubectl --kubeconfig {folder.ManagementKubeconfig} -n {sandbox.Tenants[0].Namespace} logs -l "
                    + $"app.kubernetes.io/name={sandbox.Tenants[0].Namespace} --prefix --tail=-1"
            );
        }

        output.Heading("View the metrics and xDS streams of the manager");
        var manager = sandbox.Manager.Host!.Services.GetRequiredService<RuntimeEndpoints>();
        output.Command($"curl http://{manager.Metrics}/metrics");
        output.Command($"curl http://{manager.Probe}/debug/xds");
        output.Line();
    }
}
