using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeLB.Manager.Proxies.Reports;

/// <summary>
/// Keeps this replica's report up to date, whoever leads: written when it changes, at most twice a second, and renewed while there is something
/// in it. While the proxies take everything it sends nothing. It is left behind at the end: what is in it stands until the proxies have
/// come to another replica.
/// </summary>
internal sealed class ReportWriter(
    RejectedResources rejected,
    RefusedStreams refused,
    ProxyConfigurations configurations,
    ReportLease lease,
    TimeProvider time,
    ILogger<ReportWriter> logger) : BackgroundService
{
    /// <summary>Between two writes.</summary>
    public static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(5);

    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private string? _written;
    private DateTimeOffset _writtenAt;
    private bool _isInTrouble;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        rejected.Changed += Wake;
        refused.Changed += Wake;
        try
        {
            while (true)
            {
                await WaitAsync(await TryReportAsync(stoppingToken).ConfigureAwait(false), stoppingToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            rejected.Changed -= Wake;
            refused.Changed -= Wake;
        }
    }

    private void Wake() => _wake.Writer.TryWrite(true);

    /// <returns>When to look again at the latest; null if only a change makes it worth while.</returns>
    private async Task<DateTimeOffset?> TryReportAsync(CancellationToken cancellationToken)
    {
        try
        {
            var due = await ReportAsync(cancellationToken).ConfigureAwait(false);
            _isInTrouble = false;
            return due;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // Whatever it is, the proxies are served on, and it is tried again.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (!_isInTrouble)
            {
                _isInTrouble = true;
                Log.NotReported(logger, e.Message);
            }

            return time.GetUtcNow() + AfterFailure;
        }
    }

    private async Task<DateTimeOffset?> ReportAsync(CancellationToken cancellationToken)
    {
        var (resources, resourcesUntil) = rejected.Now();
        var (streams, streamsUntil) = refused.Now();
        var report = ReplicaReport.Of(resources, streams, r => configurations.RoutesOf(r.Node, r.TypeUrl, r.Name));
        var now = time.GetUtcNow();
        if (report.IsEmpty)
        {
            await lease.DeleteAsync(cancellationToken).ConfigureAwait(false);
            _written = null;
        }
        else if (report.ToJson() is var json && (json != _written || now - _writtenAt >= ReportLease.Renewal))
        {
            await lease.WriteAsync(json, cancellationToken).ConfigureAwait(false);
            _written = json;
            _writtenAt = now;
        }

        return new[] { resourcesUntil, streamsUntil, report.IsEmpty ? null : _writtenAt + ReportLease.Renewal }.Min();
    }

    private async Task WaitAsync(DateTimeOffset? due, CancellationToken cancellationToken)
    {
        await Task.Delay(Pace, time, cancellationToken).ConfigureAwait(false);
        var left = due is { } at ? at - time.GetUtcNow() : Timeout.InfiniteTimeSpan;
        if (due is not null && left <= TimeSpan.Zero)
        {
            return;
        }

        using var limit = new CancellationTokenSource(left, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            await _wake.Reader.ReadAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // It is time.
        }
    }
}
