using System.CommandLine;
using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Connections;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Options;

namespace KubeLB.Runtime.CommandLine;

/// <summary>One line of what <c>check</c> prints.</summary>
/// <param name="IsOk">Whether it is as it should be.</param>
/// <param name="Text">What was found, and if it is not as it should be, what to do.</param>
public sealed record Finding(bool IsOk, string Text)
{
    /// <summary>Whether the check passes although this is not as it should be, since it concerns one tenant only.</summary>
    public bool IsWarning { get; init; }
}

/// <summary>
/// The subcommand <c>check</c> of a controller: checks, with the controller's own rights, what it needs. <c>helm test</c> runs it.
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
    /// <param name="check">Checks once; throws <see cref="UsageException"/> or <see cref="KubeconfigException"/> where it cannot.</param>
    public static Command Of(
        string description,
        IEnumerable<Option> options,
        Func<ParseResult, CancellationToken, Task<IReadOnlyList<Finding>>> check
    )
    {
        ArgumentNullException.ThrowIfNull(options);
        var timeout = ControllerOptions.Number("--timeout", "Seconds to wait until everything is as it should be", 30);
        var command = new Command("check", description) { timeout };
        foreach (var option in options)
        {
            command.Options.Add(option);
        }

        command.SetAction(
            (parsed, cancellationToken) => RunAsync(parsed, TimeSpan.FromSeconds(parsed.GetValue(timeout)), check, cancellationToken)
        );
        return command;
    }

    /// <summary>A request as a finding: what it says if it is answered, else why it is not.</summary>
    /// <param name="what">What the request is about, at the beginning of the sentence.</param>
    /// <param name="request">Sends the request and judges the answer.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<Finding> RequestAsync(
        string what,
        Func<CancellationToken, Task<Finding>> request,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(TimeSpan.FromSeconds(10));
        try
        {
            var finding = await request(deadline.Token).ConfigureAwait(false);
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
            var answer = StatusMessage.Of(e.Response?.Content).ReplaceLineEndings(" ").TrimEnd('.');
            return new Finding(false, $"{what}: the API server answered {(int?)e.Response?.StatusCode} {answer}.{hint}");
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
    public static Task<Finding> ApiServerAsync(string what, Cluster cluster, CancellationToken cancellationToken) =>
        RequestAsync(
            what,
            async cancel =>
            {
                var version = await cluster.Kubernetes.Version.GetCodeAsync(cancel).ConfigureAwait(false);
                return new Finding(true, $"the API server answers, Kubernetes {version.GitVersion}.");
            },
            cancellationToken
        );

    /// <summary>
    /// Whether a replica holds the Lease: one that was not renewed for twice its duration is nobody's. Clocks may differ by one duration.
    /// </summary>
    /// <param name="cluster">The cluster with the Lease.</param>
    /// <param name="settings">Which Lease.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<Finding> LeaseAsync(Cluster cluster, LeaderElectionSettings settings, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentNullException.ThrowIfNull(settings);
        var key = new ResourceKey(settings.Namespace, settings.LeaseName);
        var lease = await cluster.Client<V1Lease>().GetAsync(key, cancellationToken).ConfigureAwait(false);
        if (lease is null)
        {
            return new Finding(false, $"Lease {key} does not exist: no replica has started. See kubectl -n {key.Namespace} describe pods.");
        }

        var since = TimeProvider.System.GetUtcNow() - lease.Spec?.RenewTime?.ToUniversalTime();
        return string.IsNullOrEmpty(lease.Spec?.HolderIdentity) || since > 2 * settings.LeaseDuration
            ? new Finding(false, $"no replica holds Lease {key}. See kubectl -n {key.Namespace} get pods, and the log.")
            : new Finding(true, $"{lease.Spec.HolderIdentity.Split('_')[0]}.");
    }

    private static async Task<int> RunAsync(
        ParseResult parsed,
        TimeSpan timeout,
        Func<ParseResult, CancellationToken, Task<IReadOnlyList<Finding>>> check,
        CancellationToken cancellationToken
    )
    {
        var start = TimeProvider.System.GetTimestamp();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(timeout + LastAttempt);
        try
        {
            while (true)
            {
                var findings = await check(parsed, deadline.Token).ConfigureAwait(false);
                var failures = findings.Count(f => f is { IsOk: false, IsWarning: false });
                if (failures == 0 || TimeProvider.System.GetElapsedTime(start) >= timeout)
                {
                    var lines = findings
                        .Select(f => $"{(f.IsOk ? "ok  " : f.IsWarning ? "warn" : "FAIL")}  {f.Text}")
                        .Append(failures == 0 ? "All checks passed." : $"{failures} of {findings.Count} checks failed.");
                    await Console.Out.WriteLineAsync(string.Join(Environment.NewLine, lines)).ConfigureAwait(false);
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
            var limit = (timeout + LastAttempt).TotalSeconds;
            await Console.Error.WriteLineAsync($"The API servers did not answer within {limit:0} seconds.").ConfigureAwait(false);
            return 1;
        }
    }
}
