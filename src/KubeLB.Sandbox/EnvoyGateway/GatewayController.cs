using KubeLB.Api.Serialization;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.EnvoyGateway.Forwarding;
using KubeLB.Sandbox.EnvoyGateway.Statuses;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Sandbox.EnvoyGateway;

/// <summary>Serves a Gateway and writes its status.</summary>
internal sealed class GatewayController(
    [FromKeyedServices(EnvoyGatewayHost.Cluster)] Cluster cluster,
    Applier applier,
    ClusterView view,
    GatewayFronts fronts,
    ServedRoutes served,
    SandboxNotices notices
) : IReconciler
{
    private readonly MovedPortEvents _events = new(cluster, notices);

    /// <inheritdoc/>
    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var verdict = view.Gateway(key);
        if (verdict is null or { Refusal: not null })
        {
            await fronts.RemoveAsync(key).ConfigureAwait(false);
        }

        if (verdict is null)
        {
            served.Remove(key);
            return ReconcileResult.Done;
        }

        var routes = view.RoutesOf(key);
        System.Net.IPAddress? address = null;
        if (verdict.Refusal is null)
        {
            var plan = GatewayPlan.Of(verdict, routes, secret => CertificateTable.Read(view.SecretData(secret.Namespace, secret.Name)));
            (address, var moved) = await fronts.ApplyAsync(key, plan).ConfigureAwait(false);
            await _events.ReportAsync(verdict.Gateway, moved, cancellationToken).ConfigureAwait(false);
        }

        served.Set(key, routes);

        // Served first, told then: a client that reads the status can send requests.
        var status = GatewayStatusWriter.Gateway(verdict, routes, address, DateTimeOffset.UtcNow);
        await applier.ApplyStatusAsync(cluster, verdict.Gateway, ApiJson.ToJson(status), cancellationToken).ConfigureAwait(false);
        return ReconcileResult.Done;
    }
}
