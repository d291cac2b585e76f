using System.Net;
using k8s;
using k8s.Autorest;
using k8s.LeaderElection;
using k8s.LeaderElection.ResourceLock;
using k8s.Models;

namespace KubeLB.Runtime.LeaderElection;

/// <summary>
/// The Lease as a lock. KubernetesClient's own lock keeps silent about refused requests; this one tells them, and tells whom it saw holding
/// the Lease, so that a lost leadership is noticed at once and not at the end of the renew deadline.
/// </summary>
internal sealed class ReportingLeaseLock(
    IKubernetes client, LeaderElectionSettings settings, Action<Exception> failed, Action<string> heldBy)
    : LeaseLock(client, settings.Namespace, settings.LeaseName, settings.Identity)
{
    /// <summary>Gives up the Lease if it is ours, so that another replica need not wait for it to run out.</summary>
    public async Task ReleaseAsync(CancellationToken cancellationToken)
    {
        var record = await GetAsync(cancellationToken).ConfigureAwait(false);
        if (record?.HolderIdentity != Identity)
        {
            return;
        }

        var now = DateTime.UtcNow;
        await UpdateAsync(
            new LeaderElectionRecord
            {
                // Empty and not null: LeaderElector takes a Lease without holder field for one that must be created.
                HolderIdentity = "",
                LeaseDurationSeconds = 1,
                AcquireTime = now,
                RenewTime = now,
                LeaderTransitions = record.LeaderTransitions,
            },
            cancellationToken).ConfigureAwait(false);
    }

    protected override Task<V1Lease> ReadMetaObjectAsync(
        IKubernetes client, string name, string namespaceParameter, CancellationToken cancellationToken) =>
        ReportedAsync(
            async () =>
            {
                var lease = await base.ReadMetaObjectAsync(client, name, namespaceParameter, cancellationToken).ConfigureAwait(false);
                heldBy(lease.Spec?.HolderIdentity ?? "");
                return lease;
            },
            HttpStatusCode.NotFound,
            cancellationToken);

    protected override Task<V1Lease> CreateMetaObjectAsync(
        IKubernetes client, V1Lease obj, string namespaceParameter, CancellationToken cancellationToken) =>
        ReportedAsync(() => base.CreateMetaObjectAsync(client, obj, namespaceParameter, cancellationToken), HttpStatusCode.Conflict, cancellationToken);

    protected override Task<V1Lease> ReplaceMetaObjectAsync(
        IKubernetes client, V1Lease obj, string name, string namespaceParameter, CancellationToken cancellationToken) =>
        ReportedAsync(() => base.ReplaceMetaObjectAsync(client, obj, name, namespaceParameter, cancellationToken), HttpStatusCode.Conflict, cancellationToken);

    /// <param name="request">What to do.</param>
    /// <param name="ordinary">The refusal that needs no word: the Lease does not exist yet, or another replica was faster.</param>
    /// <param name="cancellationToken">Ends the campaign.</param>
    private async Task<V1Lease> ReportedAsync(Func<Task<V1Lease>> request, HttpStatusCode ordinary, CancellationToken cancellationToken)
    {
        try
        {
            return await request().ConfigureAwait(false);
        }
        catch (HttpOperationException e)
        {
            if (e.Response.StatusCode != ordinary)
            {
                failed(e);
            }

            throw;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            failed(e);

            // LeaderElector tries again after an answer it does not like, but gives up at once after any other exception: told as an answer,
            // one lost connection does not cost the leadership.
            throw new HttpOperationException(e.Message, e)
            {
                Response = new HttpResponseMessageWrapper(new HttpResponseMessage(HttpStatusCode.ServiceUnavailable), ""),
            };
        }
    }
}
