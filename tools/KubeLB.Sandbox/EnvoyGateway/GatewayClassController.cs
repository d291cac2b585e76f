using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.EnvoyGateway.Statuses;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KubeLB.Sandbox.EnvoyGateway;

/// <summary>Accepts GatewayClasses of Envoy Gateway's controller.</summary>
internal sealed class GatewayClassController([FromKeyedServices(EnvoyGatewayHost.Cluster)] Cluster cluster, Applier applier) : IReconciler
{
    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var gatewayClass = cluster.Informer<GatewayClass>().Get(key);
        if (gatewayClass?.Spec?.ControllerName == EnvoyGatewayHost.ControllerName)
        {
            var accepted = new Finding(GatewayConditions.Accepted, true, "Accepted", "Valid GatewayClass");
            var status = new GatewayClassStatus
            {
                Conditions = Conditions.Of(
                    [accepted],
                    gatewayClass.Status?.Conditions,
                    gatewayClass.Metadata.Generation ?? 0,
                    DateTimeOffset.UtcNow
                ),
            };
            await applier.ApplyStatusAsync(cluster, gatewayClass, ApiJson.ToJson(status), cancellationToken).ConfigureAwait(false);
        }

        return ReconcileResult.Done;
    }
}

/// <summary>Creates the GatewayClass <c>eg</c>, which the administrator of a management cluster creates.</summary>
internal sealed class GatewayClassRegistrar([FromKeyedServices(EnvoyGatewayHost.Cluster)] Cluster cluster) : IHostedService
{
    private const string Name = "eg";

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var client = cluster.Client<GatewayClass>();
        if (await client.GetAsync(new ResourceKey("", Name), cancellationToken).ConfigureAwait(false) is null)
        {
            await client
                .CreateAsync(
                    new GatewayClass
                    {
                        Metadata = { Name = Name },
                        Spec = new GatewayClassSpec { ControllerName = EnvoyGatewayHost.ControllerName },
                    },
                    cancellationToken
                )
                .ConfigureAwait(false);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
