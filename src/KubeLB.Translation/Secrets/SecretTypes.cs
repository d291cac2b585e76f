using k8s;
using k8s.Models;
using KubeLB.Api;

namespace KubeLB.Translation.Secrets;

/// <summary>Types of Secrets, and which of their keys are synced.</summary>
/// <remarks>https://kubernetes.io/docs/concepts/configuration/secret/#secret-types</remarks>
public static class SecretTypes
{
    /// <summary>A certificate with its private key.</summary>
    public const string Tls = "kubernetes.io/tls";

    /// <summary>Arbitrary data; also the type of a Secret without a type.</summary>
    public const string Opaque = "Opaque";

    /// <summary>Key of the certificate, PEM.</summary>
    public const string TlsCertificateKey = "tls.crt";

    /// <summary>Key of the private key, PEM.</summary>
    public const string TlsPrivateKeyKey = "tls.key";

    // Tokens of service accounts and of joining nodes give access to the tenant's cluster and are not synced, nor are types with unknown
    // keys.
    private static readonly Dictionary<string, string[]?> Keys = new(StringComparer.Ordinal)
    {
        [Tls] = [TlsCertificateKey, TlsPrivateKeyKey],
        [Opaque] = null,
        ["kubernetes.io/basic-auth"] = ["username", "password"],
        ["kubernetes.io/ssh-auth"] = ["ssh-privatekey"],
        ["kubernetes.io/dockercfg"] = [".dockercfg"],
        ["kubernetes.io/dockerconfigjson"] = [".dockerconfigjson"],
    };

    /// <summary>Whether Secrets of the type are synced.</summary>
    public static bool IsSynced(string? type) => Keys.ContainsKey(OrOpaque(type));

    /// <summary>Whether the key of a Secret of the type is synced.</summary>
    public static bool IsSynced(string? type, string key) =>
        Keys.TryGetValue(OrOpaque(type), out var keys) && (keys is null || keys.Contains(key, StringComparer.Ordinal));

    /// <summary>The type, or <see cref="Opaque"/> for none.</summary>
    public static string OrOpaque(string? type) => string.IsNullOrEmpty(type) ? Opaque : type;

    /// <summary>The types that are synced.</summary>
    public static IReadOnlyCollection<string> Supported => Keys.Keys;
}

/// <summary>
/// The identity of the tenant's Secret, stored in the labels of the SyncSecret and of the Secret that is created from it.
/// </summary>
/// <param name="Namespace">Namespace in the tenant's cluster.</param>
/// <param name="Name">Name.</param>
public sealed record SecretOrigin(string Namespace, string Name)
{
    /// <summary>Reads the origin; null if there are no such labels.</summary>
    public static SecretOrigin? Of(IKubernetesObject<V1ObjectMeta> value)
    {
        var labels = value.Metadata.Labels;
        if (
            labels is null
            || !labels.TryGetValue(Labels.OriginNamespace, out var @namespace)
            || !labels.TryGetValue(Labels.OriginName, out var name)
        )
        {
            return null;
        }

        // The annotation is used only for a name that is too long for the label.
        return value.Metadata.Annotations?.TryGetValue(Annotations.OriginName, out var whole) == true && Labels.Value(whole) == name
            ? new SecretOrigin(@namespace, whole)
            : new SecretOrigin(@namespace, name);
    }

    /// <summary>Metadata with the origin.</summary>
    public V1ObjectMeta Metadata(string name, string @namespace, string? resourceKind)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [Labels.ManagedBy] = Labels.ManagedByKubelb,
            [Labels.OriginName] = Labels.Value(Name),
            [Labels.OriginNamespace] = Namespace,
        };
        if (resourceKind is not null)
        {
            labels[Labels.OriginResourceKind] = resourceKind;
        }

        return new V1ObjectMeta
        {
            Name = name,
            NamespaceProperty = @namespace,
            Labels = labels,
            Annotations =
                Name.Length > Labels.MaxValueLength
                    ? new Dictionary<string, string>(StringComparer.Ordinal) { [Annotations.OriginName] = Name }
                    : null,
        };
    }
}
