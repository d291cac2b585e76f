using KubeLB.Api.GatewayApi;

namespace KubeLB.Sandbox.EnvoyGateway.Statuses;

/// <summary>Judges the certificates of a listener. Pure.</summary>
internal static class CertificateEvaluator
{
    /// <summary>Adds what is wrong with the listener's certificates.</summary>
    public static void Evaluate(Gateway gateway, Listener listener, IClusterView view, List<Finding> findings)
    {
        if (listener.Tls?.CertificateRefs is not { Count: > 0 } references)
        {
            findings.Add(
                new Finding(
                    GatewayConditions.Programmed,
                    false,
                    GatewayConditions.Invalid,
                    "Listener must have at least 1 TLS certificate ref"
                )
            );
            return;
        }

        var errors = references
            .Select((reference, index) => (Index: index, Error: Error(gateway, reference, view)))
            .Where(e => e.Error is not null)
            .Select(e => (e.Error!.Value.Reason, Message: $"certificate refs {e.Index}: {e.Error.Value.Message}"))
            .ToList();
        if (errors.Count == 0)
        {
            return;
        }

        var all = errors.Count == references.Count;
        var reason = !all ? "PartiallyInvalidCertificateRef" : errors[0].Reason;
        var start = all ? "No valid secrets exist" : "Some secrets are invalid";
        findings.Add(
            new Finding(GatewayConditions.ResolvedRefs, false, reason, $"{start}: {string.Join("; ", errors.Select(e => e.Message))}.")
        );
    }

    /// <summary>Namespace and name of the Secret that a reference means.</summary>
    public static (string Namespace, string Name) Target(Gateway gateway, SecretObjectReference reference) =>
        (reference.Namespace ?? gateway.Namespace, reference.Name);

    private static (string Reason, string Message)? Error(Gateway gateway, SecretObjectReference reference, IClusterView view)
    {
        if (reference.Group is { Length: > 0 } || reference.Kind is not (null or "Secret"))
        {
            return ("InvalidCertificateRef", $"unsupported certificate ref {reference.Group}/{reference.Kind}, must be a Secret");
        }

        var (ns, name) = Target(gateway, reference);
        if (!Grants.Permit(view, Gateway.KindName, gateway.Namespace, "Secret", ns, name))
        {
            return (GatewayConditions.RefNotPermitted, $"Certificate ref to secret {ns}/{name} not permitted by any ReferenceGrant");
        }

        return view.Secret(ns, name) switch
        {
            TlsSecret.Missing => ("InvalidCertificateRef", $"Secret {ns}/{name} does not exist"),
            TlsSecret.Invalid => ("InvalidCertificateRef", $"Secret {ns}/{name} must contain tls.crt and tls.key"),
            _ => null,
        };
    }
}
