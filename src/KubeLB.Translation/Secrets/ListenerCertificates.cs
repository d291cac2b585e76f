using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.References;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Secrets;

/// <summary>Judges the certificates of a Gateway's listeners: whether they may be used, exist, and can be read.</summary>
/// <remarks>https://gateway-api.sigs.k8s.io/reference/spec/#listenertlsconfig (certificateRefs)</remarks>
public static class ListenerCertificates
{
    /// <summary>A verdict per certificateRef of the listeners that terminate TLS, in the order of the spec.</summary>
    public static IReadOnlyList<ListenerCertificate> Evaluate(Gateway gateway, ITenantView view) =>
        [
            .. Terminating(gateway)
                .SelectMany(listener =>
                    (listener.Tls?.CertificateRefs ?? []).Select(
                        (reference, index) =>
                        {
                            var @namespace = reference.Namespace ?? gateway.Namespace;
                            return new ListenerCertificate(
                                listener.Name,
                                index,
                                @namespace,
                                reference.Name,
                                Refusal(gateway, reference, @namespace, view)
                            );
                        }
                    )
                ),
        ];

    /// <summary>The Secrets that listeners refer to, permitted or not, each once.</summary>
    public static IEnumerable<(string Namespace, string Name)> SecretsOf(Gateway gateway) =>
        Terminating(gateway)
            .SelectMany(listener => listener.Tls?.CertificateRefs ?? [])
            .Where(IsSecret)
            .Select(reference => (reference.Namespace ?? gateway.Namespace, reference.Name))
            .Distinct();

    /// <summary>Whether the reference, if it is to another namespace, is permitted there.</summary>
    public static bool IsPermitted(Gateway gateway, SecretObjectReference reference, ITenantView view) =>
        !IsSecret(reference) || ReferenceGrants.Permit(Reference(gateway, reference), view);

    /// <summary>Whether it refers to a Secret of the core group.</summary>
    public static bool IsSecret(SecretObjectReference reference) =>
        string.IsNullOrEmpty(reference.Group) && (reference.Kind ?? V1Secret.KubeKind) == V1Secret.KubeKind;

    private static IEnumerable<Listener> Terminating(Gateway gateway) =>
        (gateway.Spec?.Listeners ?? []).Where(l => l.Protocol == "HTTPS" || (l.Protocol == "TLS" && l.Tls?.Mode != "Passthrough"));

    private static CrossReference Reference(Gateway gateway, SecretObjectReference reference) =>
        new(Gateway.KindName, gateway.Namespace, V1Secret.KubeKind, reference.Namespace ?? gateway.Namespace, reference.Name);

    private static Refusal? Refusal(Gateway gateway, SecretObjectReference reference, string @namespace, ITenantView view)
    {
        if (!IsSecret(reference))
        {
            return new Refusal(
                GatewayConditions.InvalidCertificateRef,
                $"kind {reference.Kind} of group \"{reference.Group}\" is not supported, only Secret of the core group is"
            );
        }

        // Before anything is said about the Secret: whether it exists is not to be told either.
        if (!IsPermitted(gateway, reference, view))
        {
            return new Refusal(GatewayConditions.RefNotPermitted, ReferenceGrants.Refusal(Reference(gateway, reference)));
        }

        var problem = view.Secret(@namespace, reference.Name) is { } secret
            ? TlsContent.Problem(secret)
            : $"Secret {@namespace}/{reference.Name} does not exist";
        return problem is null ? null : new Refusal(GatewayConditions.InvalidCertificateRef, problem);
    }
}

/// <summary>What became of one certificateRef.</summary>
/// <param name="Listener">Name of the listener.</param>
/// <param name="Index">Its place among the listener's certificateRefs.</param>
/// <param name="Namespace">Namespace of the Secret.</param>
/// <param name="Name">Name of the Secret.</param>
/// <param name="Refusal">Why it cannot be used; null if it can.</param>
public sealed record ListenerCertificate(string Listener, int Index, string Namespace, string Name, Refusal? Refusal);
