using System.CommandLine;
using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Connections;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Options;

namespace KubeLB.Runtime.CommandLine;

/// <summary>One line of what <c>check</c> prints.</summary>
/// <param name="IsOk">Whether it is as it should be.</param>
/// <param name="Text">What was found, and if it is not as it should be, what to do.</param>
public sealed record Finding(bool IsOk, string Text)
{
    /// <summary>Whether it is reported without failing the check: it is not as it should be, but not for this installation to mend.</summary>
    public bool IsWarning { get; init; }
}

/// <summary>
/// The subcommand <c>check</c> of a controller: looks once, with the controller's own rights, at what it needs. <c>helm test</c> runs it.
/// Exit code 0 if everything is as it should be, 1 if not, 2 for a bad command line.
/// </summary>
public static class CheckCommand
{
    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromSeconds(1);

    // An attempt that has begun may end, up to here.
    private static readonly TimeSpan LastAttempt = TimeSpan.FromSeconds(30);

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
            return new Finding(false, $"{what}: the API server answered {(int?)e.Response?.StatusCode} {StatusMessage.Of(e.Response?.Content).ReplaceLineEndings(" ")}.{hint}".Replace("..", ".", StringComparison.Ordinal));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new Finding(false, $"{what}: the API server did not answer within 10 seconds.");
        }
#pragma warning disable CA1031 // Whatever else goes wrong (TLS, DNS, an answer that is no JSON) is a finding, too.
        catch (Exception e) when (e is not OperationCanceledException)
#pragma warning restore CA1031
        {
            return new Finding(false, $"{what}: the request to the API server failed: {e.GetBaseException().Message}");
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

    /// <summary>Whether a controller holds its Lease: one that was not renewed for its duration is nobody's.</summary>
    /// <param name="cluster">The cluster with the Lease.</param>
    /// <param name="leaseNamespace">Namespace of the Lease.</param>
    /// <param name="name">Name of the Lease.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<Finding> LeaseAsync(Cluster cluster, string leaseNamespace, string name, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        var lease = await cluster.Client<V1Lease>().GetAsync(new ResourceKey(leaseNamespace, name), cancellationToken).ConfigureAwait(false);
        var since = TimeProvider.System.GetUtcNow() - lease?.Spec?.RenewTime?.ToUniversalTime();
        return lease is null
            ? new Finding(false, $"Lease {leaseNamespace}/{name} does not exist: no replica has started. See kubectl -n {leaseNamespace} describe pods.")
            : string.IsNullOrEmpty(lease.Spec?.HolderIdentity) || since > TimeSpan.FromSeconds(2 * (lease.Spec.LeaseDurationSeconds ?? 15))
                ? new Finding(false, $"no replica holds Lease {leaseNamespace}/{name}. See kubectl -n {leaseNamespace} get pods, and their logs.")
                : new Finding(true, $"{lease.Spec.HolderIdentity.Split('_')[0]} is the leader.");
    }

    private static async Task<int> RunAsync(
        ParseResult parsed, TimeSpan timeout, Func<ParseResult, CancellationToken, Task<IReadOnlyList<Finding>>> look, CancellationToken cancellationToken)
    {
        var start = TimeProvider.System.GetTimestamp();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(timeout + LastAttempt);
        try
        {
            while (true)
            {
                var findings = await look(parsed, deadline.Token).ConfigureAwait(false);
                var failures = findings.Count(f => f is { IsOk: false, IsWarning: false });
                if (failures == 0 || TimeProvider.System.GetElapsedTime(start) >= timeout)
                {
                    foreach (var finding in findings)
                    {
                        await Console.Out.WriteLineAsync($"{(finding.IsOk ? "ok  " : finding.IsWarning ? "warn" : "FAIL")}  {finding.Text}").ConfigureAwait(false);
                    }

                    await Console.Out.WriteLineAsync(failures == 0 ? "All checks passed." : $"{failures} of {findings.Count} checks failed.").ConfigureAwait(false);
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
        catch (Exception e) when (e is KubeconfigException or OptionsValidationException)
        {
            await Console.Error.WriteLineAsync(e.Message.ReplaceLineEndings(" ")).ConfigureAwait(false);
            return 1;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync($"The API servers did not answer within {(timeout + LastAttempt).TotalSeconds:0} seconds.").ConfigureAwait(false);
            return 1;
        }
    }
}
