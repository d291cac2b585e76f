using System.Globalization;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Inspection.Access;
using KubeLB.Translation.Tenants;

namespace KubeLB.Inspection.Tracing;

/// <summary>The CCM of a trace: what its flags and its pods mean for the traced object.</summary>
internal static class CcmHop
{
    /// <summary>The hop; none if no Deployment was found.</summary>
    /// <param name="flags">The flags of the CCM.</param>
    /// <param name="kind">The kind of the traced object.</param>
    /// <param name="tenantNamespace">The tenant's namespace in the management cluster; null if it is not known.</param>
    public static IEnumerable<Hop> Of(CcmFlags flags, string kind, string? tenantNamespace)
    {
        if (flags.Deployment is not { } deployment)
        {
            yield break;
        }

        var parts = new List<Hop>();
        if (!flags.IsGatewayApiEnabled)
        {
            parts.Add(new Hop("Flags", HopState.Broken) { Message = TenantSettings.GatewayApiNotEnabled });
        }
        else if (DisabledBy(flags, kind) is { } flag)
        {
            parts.Add(
                new Hop("Flags", HopState.Broken) { Message = $"The CCM runs with {flag}, so it serves no {kind}. Remove the flag." }
            );
        }

        if (
            tenantNamespace is not null
            && flags.Tenant is { } tenant
            && TenantNames.TenantOf(tenantNamespace) is { } traced
            && tenant != traced
        )
        {
            parts.Add(
                new Hop("Tenant", HopState.Warning)
                {
                    Message = $"The CCM has --cluster-name {tenant}, but the trace is of Tenant {traced}.",
                }
            );
        }

        if (flags.IsDown)
        {
            parts.Add(new Hop("Pods", HopState.Warning) { Message = $"Changes are not applied. {Down(flags)}" });
        }

        var (ready, wanted) = (deployment.Status?.ReadyReplicas ?? 0, deployment.Spec?.Replicas ?? 1);
        string[] facts = [$"{Count(ready)} of {Count(wanted)} ready", .. flags.Changed];
        yield return Hop.Of("CCM", parts, string.Join("; ", facts)) with
        {
            Subject = new HopObject("tenant", "Deployment", deployment.Namespace(), deployment.Name())
            {
                Created = deployment.Metadata.CreationTimestamp?.ToUniversalTime(),
            },
        };
    }

    /// <summary>What is assumed because no Deployment was found or read; null if the flags are known.</summary>
    public static string? Assumption(CcmFlags flags) =>
        flags.Assumed is { } why ? $"The default flags of the CCM are assumed: {why}." : null;

    /// <summary>That no pod of the CCM is ready, and how to find out why.</summary>
    public static string Down(CcmFlags flags)
    {
        var (@namespace, name) = (flags.Deployment!.Namespace(), flags.Deployment!.Name());
        return $"No pod of its Deployment {@namespace}/{name} is ready: run kubectl -n {@namespace} logs deployment/{name}.";
    }

    private static string? DisabledBy(CcmFlags flags, string kind)
    {
        var settings = flags.Settings("");
        return kind == Gateway.KindName
            ? settings.IsGatewayControllerEnabled
                ? null
                : "--disable-gateway-controller"
            : settings.IsControllerEnabled(kind)
                ? null
                : kind == GrpcRoute.KindName
                    ? "--disable-grpcroute-controller"
                    : "--disable-httproute-controller";
    }

    private static string Count(int number) => number.ToString(CultureInfo.InvariantCulture);
}
