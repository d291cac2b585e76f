using System.CommandLine;
using System.Net;
using k8s;
using k8s.Autorest;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Connections;

namespace KubeLB.Runtime.CommandLine;

/// <summary>One line of what <c>check</c> prints.</summary>
/// <param name="IsOk">Whether it is as it should be.</param>
/// <param name="Text">What was found, and if it is not as it should be, what to do.</param>
public sealed record Finding(bool IsOk, string Text);

/// <summary>
/// The subcommand <c>check</c> of a controller: looks once, with the controller's own rights, at what it needs. <c>helm test</c> runs it.
/// Exit code 0 if everything is as it should be, 1 if not, 2 for a bad command line.
/// </summary>
public static class CheckCommand
{
    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromSeconds(1);

    /// <summary>Makes the command.</summary>
    /// <param name="description">What it is for, as <c>--help</c> shows it.</param>
    /// <param name="options">The options that it takes beside <c>--timeout</c>.</param>
    /// <param name="look">Looks once; throws <see cref="UsageException"/> or <see cref="KubeconfigException"/> where it cannot.</param>
    public static Command Of(
        string description, IEnumerable<Option> options, Func<ParseResult, CancellationToken, Task<IReadOnlyList<Finding>>> look)
    {
        ArgumentNullException.ThrowIfNull(options);
        var timeout = ControllerOptions.Number("--timeout", "Seconds to wait until everything is as it should be", 30);
        var command = new Command("check", description) { timeout };
        foreach (var option in options)
        {
            command.Options.Add(option);
        }

        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, TimeSpan.FromSeconds(parsed.GetValue(timeout)), look, cancellationToken));
        return command;
    }

    /// <summary>A request as a finding: what it says if it is answered, else why it is not.</summary>
    /// <param name="what">What the request is about, at the beginning of the sentence.</param>
    /// <param name="ask">Asks.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<Finding> AskAsync(string what, Func<CancellationToken, Task<Finding>> ask, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ask);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(TimeSpan.FromSeconds(10));
        try
        {
            var finding = await ask(deadline.Token).ConfigureAwait(false);
            return finding with { Text = $"{what}: {finding.Text}" };
        }
        catch (HttpOperationException e)
        {
            var hint = e.Response?.StatusCode switch
            {
                HttpStatusCode.Unauthorized => " The credentials are not accepted.",
                HttpStatusCode.Forbidden => " The rights of the chart (rbac.enabled) or of the tenant's kubeconfig are missing.",
                _ => "",
            };
            return new Finding(false, $"{what}: the API server answered {(int?)e.Response?.StatusCode} {StatusMessage.Of(e.Response?.Content)}.{hint}".Replace("..", ".", StringComparison.Ordinal));
        }
        catch (HttpRequestException e)
        {
            return new Finding(false, $"{what}: the API server cannot be reached: {e.Message}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new Finding(false, $"{what}: the API server did not answer within 10 seconds.");
        }
    }

    /// <summary>Whether an API server answers, and its version.</summary>
    /// <param name="what">What it is called.</param>
    /// <param name="cluster">The cluster.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static Task<Finding> ApiServerAsync(string what, Cluster cluster, CancellationToken cancellationToken) => AskAsync(
        what,
        async cancel => new Finding(true, $"the API server answers, Kubernetes {(await cluster.Kubernetes.Version.GetCodeAsync(cancel).ConfigureAwait(false)).GitVersion}."),
        cancellationToken);

    private static async Task<int> RunAsync(
        ParseResult parsed, TimeSpan timeout, Func<ParseResult, CancellationToken, Task<IReadOnlyList<Finding>>> look, CancellationToken cancellationToken)
    {
        var start = TimeProvider.System.GetTimestamp();
        try
        {
            while (true)
            {
                var findings = await look(parsed, cancellationToken).ConfigureAwait(false);
                var failures = findings.Count(f => !f.IsOk);
                if (failures == 0 || TimeProvider.System.GetElapsedTime(start) >= timeout)
                {
                    foreach (var finding in findings)
                    {
                        await Console.Out.WriteLineAsync($"{(finding.IsOk ? "ok  " : "FAIL")}  {finding.Text}").ConfigureAwait(false);
                    }

                    await Console.Out.WriteLineAsync(failures == 0 ? "Everything is as it should be." : $"{failures} of {findings.Count} checks failed.").ConfigureAwait(false);
                    return failures == 0 ? 0 : 1;
                }

                await Task.Delay(BetweenAttempts, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (UsageException e)
        {
            await Console.Error.WriteLineAsync($"{e.Message} See --help.").ConfigureAwait(false);
            return 2;
        }
        catch (KubeconfigException e)
        {
            await Console.Error.WriteLineAsync(e.Message).ConfigureAwait(false);
            return 1;
        }
    }
}
