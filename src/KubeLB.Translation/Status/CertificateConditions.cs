using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Conditions;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Secrets;

namespace KubeLB.Translation.Status;

/// <summary>
/// What the CCM itself knows of a listener's certificates, in the listener's conditions. The management side sees other names, and not why
/// a certificate does not arrive.
/// </summary>
internal static class CertificateConditions
{
    /// <summary>Sets the conditions of refused certificates over what was reported.</summary>
    /// <param name="conditions">The listener's conditions as reported.</param>
    /// <param name="certificates">The verdicts on its certificateRefs.</param>
    /// <param name="generation">The generation of the Gateway that the verdicts are on.</param>
    public static void Apply(ConditionSet conditions, IReadOnlyList<ListenerCertificate> certificates, long generation)
    {
        var refused = certificates.Where(c => c.Refusal is not null).ToList();
        if (refused.Count == 0)
        {
            return;
        }

        var all = refused.Count == certificates.Count;
        var message =
            (all ? "No valid secrets exist: " : "Some secrets are invalid: ")
            + string.Join("; ", refused.Select(c => $"certificate refs {c.Index}: {c.Refusal!.Message}"))
            + ".";
        var reason = all ? refused[0].Refusal!.Reason : GatewayConditions.PartiallyInvalidCertificateRef;
        conditions.Set(GatewayConditions.ResolvedRefs, ConditionStatus.False, reason, message, generation);
        if (all)
        {
            conditions.Set(GatewayConditions.Programmed, ConditionStatus.False, GatewayConditions.Invalid, message, generation);
        }
    }

    /// <summary>A reported condition in the tenant's own words.</summary>
    /// <param name="reported">The condition.</param>
    /// <param name="certificates">The verdicts on the listener's certificateRefs.</param>
    public static Condition InTenantsNames(Condition reported, IReadOnlyList<ListenerCertificate> certificates)
    {
        // Usable here, and there not yet: it has not arrived.
        var missing = certificates
            .Where(c => reported.Message.Contains(UnresolvedNames.For(c.Namespace, c.Name), StringComparison.Ordinal))
            .Select(c => $"{c.Namespace}/{c.Name}")
            .Distinct()
            .ToList();
        if (missing.Count == 0)
        {
            return reported;
        }

        return new Condition
        {
            Type = reported.Type,
            Status = reported.Status,
            Reason = reported.Reason,
            Message = $"Waiting for the management cluster to take over the certificate of Secret {string.Join(", ", missing)}.",
            ObservedGeneration = reported.ObservedGeneration,
        };
    }
}
