using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Secrets;

/// <summary>Validates the certificates of a Gateway's listeners: whether they are permitted, exist, and are well-formed.</summary>
/// <remarks>https://gateway-api.sigs.k8s.io/reference/spec/#listenertlsconfig (certificateRefs)</remarks>
public static class ListenerCertificates
{
    /// <summary>One result per certificateRef of the listeners that terminate TLS, in the order of the spec.</summary>
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
                                Rejection(gateway, reference, @namespace, view)
                            );
                        }
                    )
                ),
        ];

    /// <summary>Why the listener has no certificate at all; null if it has one, or needs none.</summary>
    internal static Rejection? MissingReference(Gateway gateway, Listener listener) =>
        listener is { Protocol: "HTTPS", Tls: null or { Mode: not "Passthrough", CertificateRefs: null or { Count: 0 } } }
            ? new Rejection(GatewayConditions.InvalidCertificateRef, SecretMessages.NoCertificateRef(gateway.Namespace))
            : null;

    /// <summary>The distinct Secrets that listeners refer to, permitted or not.</summary>
    public static IEnumerable<(string Namespace, string Name)> SecretsOf(Gateway gateway) =>
        Terminating(gateway)
            .SelectMany(listener => listener.Tls?.CertificateRefs ?? [])
            .Where(IsSecret)
            .Select(reference => (reference.Namespace ?? gateway.Namespace, reference.Name))
            .Distinct();

    /// <summary>Whether a ReferenceGrant permits the reference, if it is to another namespace.</summary>
    public static bool IsPermitted(Gateway gateway, SecretObjectReference reference, ITenantView view) =>
        !IsSecret(reference) || ReferenceGrants.IsPermitted(Reference(gateway, reference), view);

    /// <summary>Whether it refers to a Secret of the core group.</summary>
    public static bool IsSecret(SecretObjectReference reference) =>
        string.IsNullOrEmpty(reference.Group) && (reference.Kind ?? V1Secret.KubeKind) == V1Secret.KubeKind;

    private static IEnumerable<Listener> Terminating(Gateway gateway) =>
        (gateway.Spec?.Listeners ?? []).Where(l => l.Protocol == "HTTPS" || (l.Protocol == "TLS" && l.Tls?.Mode != "Passthrough"));

    private static CrossReference Reference(Gateway gateway, SecretObjectReference reference) =>
        new(Gateway.KindName, gateway.Namespace, V1Secret.KubeKind, reference.Namespace ?? gateway.Namespace, reference.Name);

    private static Rejection? Rejection(Gateway gateway, SecretObjectReference reference, string @namespace, ITenantView view)
    {
        if (!IsSecret(reference))
        {
            return new Rejection(
                GatewayConditions.InvalidCertificateRef,
                SecretMessages.UnsupportedCertificateKind(reference.Kind ?? V1Secret.KubeKind, reference.Group ?? "")
            );
        }

        // Checked before the Secret is looked up, because the message must not disclose whether it exists.
        if (!IsPermitted(gateway, reference, view))
        {
            return new Rejection(GatewayConditions.RefNotPermitted, ReferenceGrants.NotPermitted(Reference(gateway, reference)));
        }

        var problem = view.Secret(@namespace, reference.Name) is { } secret
            ? TlsContent.Problem(secret)
            : SecretMessages.NotFound(@namespace, reference.Name);
        return problem is null ? null : new Rejection(GatewayConditions.InvalidCertificateRef, problem);
    }
}

/// <summary>The result for one certificateRef.</summary>
/// <param name="Listener">Name of the listener.</param>
/// <param name="Index">Index of the reference in the listener's certificateRefs.</param>
/// <param name="Namespace">Namespace of the Secret.</param>
/// <param name="Name">Name of the Secret.</param>
/// <param name="Rejection">Why it is invalid; null if it is valid.</param>
public sealed record ListenerCertificate(string Listener, int Index, string Namespace, string Name, Rejection? Rejection);

/// <summary>Validates the content of a Secret that a listener refers to, without quoting it.</summary>
internal static class TlsContent
{
    private const string RsaOid = "1.2.840.113549.1.1.1";
    private const string EllipticCurveOid = "1.2.840.10045.2.1";

    /// <summary>Why the Secret is invalid; null if it contains a certificate with its private key.</summary>
    public static string? Problem(V1Secret secret)
    {
        var name = $"{secret.Namespace()}/{secret.Name()}";
        if (secret.Type != SecretTypes.Tls)
        {
            return SecretMessages.WrongType(name, secret.Type ?? SecretTypes.Opaque, SecretTypes.Tls);
        }

        if (Text(secret, SecretTypes.TlsCertificateKey) is not { } certificate || Text(secret, SecretTypes.TlsPrivateKeyKey) is not { } key)
        {
            return SecretMessages.MissingKeys(name, SecretTypes.TlsCertificateKey, SecretTypes.TlsPrivateKeyKey);
        }

        return Problem(name, certificate, key);
    }

    private static string? Problem(string secret, string certificatePem, string keyPem)
    {
        if (Read(certificatePem) is not { } certificate)
        {
            return SecretMessages.InvalidCertificate(secret, SecretTypes.TlsCertificateKey);
        }

        using (certificate)
        {
            var labels = PemLabels(keyPem);
            if (labels.Any(l => l == "ENCRYPTED PRIVATE KEY"))
            {
                return SecretMessages.EncryptedKey(secret, SecretTypes.TlsPrivateKeyKey);
            }

            if (!labels.Any(l => l.EndsWith("PRIVATE KEY", StringComparison.Ordinal)))
            {
                return SecretMessages.InvalidKey(secret, SecretTypes.TlsPrivateKeyKey);
            }

            // Other algorithms are validated by the proxy only.
            return certificate.GetKeyAlgorithm() is not (RsaOid or EllipticCurveOid) || IsPair(certificatePem, keyPem)
                ? null
                : SecretMessages.KeyMismatch(secret, SecretTypes.TlsCertificateKey, SecretTypes.TlsPrivateKeyKey);
        }
    }

    private static X509Certificate2? Read(string pem)
    {
        try
        {
            return X509Certificate2.CreateFromPem(pem);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static bool IsPair(string certificatePem, string keyPem)
    {
        try
        {
            using var pair = X509Certificate2.CreateFromPem(certificatePem, keyPem);
            return true;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return false;
        }
    }

    private static List<string> PemLabels(string text)
    {
        var labels = new List<string>();
        var rest = text.AsSpan();
        while (PemEncoding.TryFind(rest, out var found))
        {
            labels.Add(rest[found.Label].ToString());
            rest = rest[found.Location.End..];
        }

        return labels;
    }

    private static string? Text(V1Secret secret, string key) =>
        secret.Data is not null && secret.Data.TryGetValue(key, out var value) && value is { Length: > 0 }
            ? Encoding.UTF8.GetString(value)
            : null;
}
