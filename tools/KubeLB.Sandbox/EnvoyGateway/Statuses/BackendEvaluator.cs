using KubeLB.Api.GatewayApi;

namespace KubeLB.Sandbox.EnvoyGateway.Statuses;

/// <summary>Judges references to backends. Pure.</summary>
internal static class BackendEvaluator
{
    /// <summary>What is wrong with a reference; null if it resolves.</summary>
    public static (string Reason, string Message)? Error(
        BackendObjectReference backend,
        string routeKind,
        string routeNamespace,
        IClusterView view
    )
    {
        var ns = backend.Namespace ?? routeNamespace;
        if (backend.Group is { Length: > 0 })
        {
            return (
                GatewayConditions.InvalidKind,
                "Group is invalid, only the core API group (specified by omitting the group field or setting it to an empty string), "
                    + "multicluster.x-k8s.io and gateway.envoyproxy.io are supported."
            );
        }

        if (backend.Kind is not (null or "Service"))
        {
            return (
                GatewayConditions.InvalidKind,
                "Kind is invalid, only Service, MCS ServiceImport, Envoy Gateway Backend and EndpointSlice are supported."
            );
        }

        if (!Grants.Permit(view, routeKind, routeNamespace, "Service", ns, backend.Name))
        {
            return (GatewayConditions.RefNotPermitted, $"Backend ref to Service {ns}/{backend.Name} not permitted by any ReferenceGrant.");
        }

        if (backend.Port is not { } port)
        {
            return ("PortNotSpecified", "A valid port number corresponding to a port on the Service must be specified.");
        }

        if (view.Service(ns, backend.Name) is not { } service)
        {
            return (GatewayConditions.BackendNotFound, $"service {ns}/{backend.Name} not found.");
        }

        return service.Spec?.Ports?.Any(p => p.Port == port && p.Protocol is null or "" or "TCP") == true
            ? null
            : ("PortNotFound", $"TCP Port {port} not found on Service {ns}/{backend.Name}.");
    }
}
