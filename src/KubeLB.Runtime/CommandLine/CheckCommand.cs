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

/// <summary>One line of the output of <c>check</c>.</summary>
/// <param name="IsOk">Whether the check passed.</param>
/// <param name="Text">The result, with a remedy if the check failed.</param>
public sealed record Finding(bool IsOk, string Text)
{
    /// <summary>Whether a failed check is only a warning and does not fail the command, because it affects only one tenant.</summary>
    public bool IsWarning { get; init; }
}

/// <summary>
/// The subcommand <c>check</c> of a controller: checks its requirements with its own permissions. Run by <c>helm test</c>.
/// Exit codes: <see cref="ControllerExitCodes"/>.
/// </summary>
public static class CheckCommand
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    // How long the last attempt may take after --timeout.
    private static readonly TimeSpan LastAttemptTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Creates the command.</summary>
    /// <param name="description">The description for <c>--help</c>.</param>
    /// <param name="options">The options in addition to <c>--timeout</c>.</param>
    /// <param name="check">Runs all checks once; may throw <see cref="UsageException"/> or <see cref="KubeconfigException"/>.</param>
    public static Command Create(
        string description,
        IEnumerable<Option> options,
        Func<ParseResult, CancellationToken, Task<IReadOnlyList<Finding>>> check
    )
    {
        ArgumentNullException.ThrowIfNull(options);
        var timeout = ControllerOptions.Number("--timeout", "Seconds to wait until all checks pass", 30);
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

    /// <summary>Runs a check that sends a request, and reports an error of the request as a failure.</summary>
    /// <param name="what">The subject of the check, at the beginning of the text.</param>
    /// <param name="request">Sends the request and evaluates the response.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public static Task<Finding> RequestAsync(
        string what,
        Func<CancellationToken, Task<Finding>> request,
        CancellationToken cancellationToken
    ) => RequestAsync(what, null, request, cancellationToken);

    /// <param name="what">The subject of the check, at the beginning of the text.</param>
    /// <param name="cluster">The cluster of the request, which can explain why it is forbidden; null for the default text.</param>
    /// <param name="request">Sends the request and evaluates the response.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <inheritdoc cref="RequestAsync(string, Func{CancellationToken, Task{Finding}}, CancellationToken)" />
    public static async Task<Finding> RequestAsync(
        string what,
        Cluster? cluster,
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
            if (
                e.Response?.StatusCode == HttpStatusCode.Forbidden
                && cluster?.Transport.ExplainForbidden?.Invoke(ApiStatus.MessageOf(e.Response.Content)) is { } explanation
            )
            {
                return new Finding(false, $"{what}: {explanation}");
            }

            var hint = e.Response?.StatusCode switch
            {
                HttpStatusCode.Unauthorized => " Check the token or client certificate of the kubeconfig.",
                HttpStatusCode.Forbidden => " The permissions of the chart (rbac.enabled) or of the tenant's kubeconfig are missing.",
                _ => "",
            };
            var message = ApiStatus.MessageOf(e.Response?.Content).ReplaceLineEndings(" ").TrimEnd('.');
            return new Finding(false, $"{what}: the API server responded with {(int?)e.Response?.StatusCode} {message}.{hint}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new Finding(
                false,
                $"{what}: the API server did not respond within 10 seconds. Check its address and that it is running."
            );
        }
#pragma warning disable CA1031 // Any other error (TLS, DNS, invalid JSON) is a failed check as well.
        catch (Exception e) when (e is not OperationCanceledException)
#pragma warning restore CA1031
        {
            return new Finding(false, $"{what}: the request to the API server failed: {e.GetBaseException().Message}");
        }
    }

    /// <summary>Checks that an API server responds, and reports its version.</summary>
    /// <param name="what">The subject of the check.</param>
    /// <param name="cluster">The cluster.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public static Task<Finding> ApiServerAsync(string what, Cluster cluster, CancellationToken cancellationToken) =>
        RequestAsync(
            what,
            async cancel =>
            {
                var version = await cluster.Kubernetes.Version.GetCodeAsync(cancel).ConfigureAwait(false);
                return new Finding(true, $"the API server responds, Kubernetes {version.GitVersion}.");
            },
            cancellationToken
        );

    /// <summary>
    /// Checks that a replica holds the Lease. A Lease that was not renewed for twice its duration is treated as not held; this tolerates a
    /// clock skew of one duration.
    /// </summary>
    /// <param name="cluster">The cluster of the Lease.</param>
    /// <param name="settings">Namespace, name and duration of the Lease.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public static async Task<Finding> LeaseAsync(Cluster cluster, LeaderElectionSettings settings, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentNullException.ThrowIfNull(settings);
        var key = new ResourceKey(settings.Namespace, settings.LeaseName);
        var lease = await cluster.Client<V1Lease>().GetAsync(key, cancellationToken).ConfigureAwait(false);
        if (lease is null)
        {
            return new Finding(false, $"Lease {key} does not exist: no replica has started. Run kubectl -n {key.Namespace} describe pods.");
        }

        var since = TimeProvider.System.GetUtcNow() - lease.Spec?.RenewTime?.ToUniversalTime();
        return string.IsNullOrEmpty(lease.Spec?.HolderIdentity) || since > 2 * settings.LeaseDuration
            ? new Finding(false, $"no replica holds Lease {key}. Run kubectl -n {key.Namespace} get pods, and check their logs.")
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
        deadline.CancelAfter(timeout + LastAttemptTimeout);
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
                    return failures == 0 ? ControllerExitCodes.Ok : ControllerExitCodes.Failed;
                }

                await Task.Delay(RetryInterval, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (UsageException e)
        {
            await Console.Error.WriteLineAsync($"{e.Message} See --help.").ConfigureAwait(false);
            return ControllerExitCodes.Usage;
        }
        catch (Exception e) when (e is KubeconfigException or OptionsValidationException)
        {
            await Console.Error.WriteLineAsync(e.Message.ReplaceLineEndings(" ")).ConfigureAwait(false);
            return ControllerExitCodes.Failed;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            var limit = (timeout + LastAttemptTimeout).TotalSeconds;
            await Console
                .Error.WriteLineAsync(
                    $"The API servers did not respond within {limit:0} seconds. Check their addresses and that they are running."
                )
                .ConfigureAwait(false);
            return ControllerExitCodes.Failed;
        }
    }
}
