using System.CommandLine;
using KubeLB.Api.Messages;
using KubeLB.Cli.Rendering;
using KubeLB.Inspection.Checks;
using Spectre.Console;
using static KubeLB.Runtime.CommandLine.ControllerOptions;

namespace KubeLB.Cli.Commands;

/// <summary><c>kubelb check</c>: checks both clusters before or after an installation.</summary>
internal static class CheckCommand
{
    private static readonly string[] AddressTypes = ["ExternalIP", "InternalIP", "Hostname"];

    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        var connections = new ConnectionOptions();
        var pre = Switch("--pre", "Check what an installation needs, before it");
        var installation = new InstallationOptions();
        var ccm = Text("--ccm-namespace", "Namespace of the CCM", "kubelb");
        var addressType = new Option<string?>("--node-address-type")
        {
            Description = "The CCM's flag of this name; by default that of its Deployment, else ExternalIP",
            HelpName = string.Join('|', AddressTypes),
        };
        addressType.AcceptOnlyFromAmong(AddressTypes);
        var output = OneOf("--output", "Format of the output", "text", "text", CommandOutput.Json, CommandOutput.Yaml);
        output.Aliases.Add("-o");
        var command = new Command("check", "Check the clusters before (--pre) or after an installation") { pre, output, ccm, addressType };
        connections.AddTo(command);
        installation.AddTo(command);
        Examples.Add(
            command,
            """
              kubelb check --pre --management-context admin@management
              kubelb check --context admin@shop --management-context admin@management --node-address-type InternalIP

            Exit code 0 if no check failed, 1 if one did, 2 for an invalid command line. Warnings do not fail.
            """
        );
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                await using var clusters = connections.Open(parsed);
                var settings = new CheckSettings
                {
                    HasTenant = clusters.Tenant is not null,
                    HasManagement = clusters.Management is not null,
                    IsBeforeInstallation = parsed.GetValue(pre),
                    ManagerNamespace = installation.ManagerNamespace(parsed),
                    CcmNamespace = parsed.GetValue(ccm)!,
                    EnvoyGatewayNamespace = installation.EnvoyGatewayNamespace(parsed),
                    NodeAddressType = parsed.GetValue(addressType),
                };
                var reached = await clusters.CheckConnectionsAsync(cancellationToken).ConfigureAwait(false);
                var isReached = reached.All(r => r.Problem is null);
                IReadOnlyList<CheckResult> results =
                [
                    .. reached.Select(r => new CheckResult(
                        r.Cluster,
                        "The API server responds",
                        r.Problem is null ? CheckState.Ok : CheckState.Failed
                    )
                    {
                        Reason = r.Problem,
                        Hint = r.Problem is null ? null : "Check the kubeconfig, its context, and the network.",
                    }),
                    .. isReached
                        ? await clusters
                            .EvaluateAsync(
                                (tenant, management) =>
                                    new InstallationCheck(tenant, management, settings, TimeProvider.System.GetUtcNow()).Run(),
                                cancellationToken
                            )
                            .ConfigureAwait(false)
                        : [],
                    .. isReached && settings is { HasManagement: true, IsBeforeInstallation: false }
                        ? [await NodePortCheck.RunAsync(clusters, TimeProvider.System, cancellationToken).ConfigureAwait(false)]
                        : Array.Empty<CheckResult>(),
                ];
                var writer = parsed.InvocationConfiguration.Output;
                if (parsed.GetValue(output) is { } format && format != "text")
                {
                    await writer.WriteAsync(CommandOutput.Serialize(results, format)).ConfigureAwait(false);
                }
                else
                {
                    Write(CommandOutput.Console(writer), results);
                }

                return results.Any(r => r.State == CheckState.Failed) ? ExitCodes.Failed : ExitCodes.Ok;
            }
        );
        return command;
    }

    private static void Write(IAnsiConsole console, IReadOnlyList<CheckResult> results)
    {
        foreach (var group in results.GroupBy(r => r.Group, StringComparer.OrdinalIgnoreCase))
        {
            console.MarkupLine($"[bold]{CommandOutput.Text(char.ToUpperInvariant(group.Key[0]) + group.Key[1..])}[/]");
            foreach (var result in group)
            {
                var mark = result.State switch
                {
                    CheckState.Ok => "[green]✓[/]",
                    CheckState.Warning => "[yellow]![/]",
                    CheckState.Failed => "[red]✗[/]",
                    _ => "[grey]?[/]",
                };
                var detail = result.Detail is { } text ? $"  [grey]{CommandOutput.Text(text)}[/]" : "";
                console.MarkupLine($"{mark} {CommandOutput.Text(result.Name)}{detail}");
                foreach (var line in new[] { result.Reason, result.Hint is { } hint ? $"→ {hint}" : null }.OfType<string>())
                {
                    console.WriteLine(MessageText.Escape($"    {line}"));
                }
            }

            console.WriteLine();
        }

        var (failed, warnings) = (results.Count(r => r.State == CheckState.Failed), results.Count(r => r.State == CheckState.Warning));
        var skipped = results.Count(r => r.State == CheckState.NotChecked);
        console.MarkupLine(
            (failed == 0 ? "[green]No check failed[/]" : $"[red]{failed} of {results.Count} checks failed[/]")
                + (warnings > 0 ? $", {warnings} with a warning" : "")
                + (skipped > 0 ? $", {skipped} not checked" : "")
                + "."
        );
    }
}
