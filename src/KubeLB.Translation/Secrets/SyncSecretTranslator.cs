using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Secrets;

/// <summary>
/// A tenant's Secret, or a SyncSecret that the tenant wrote itself → the SyncSecret that carries it. Type and data travel, and no
/// metadata but the origin: kubectl's record of the last apply, for one, repeats the data.
/// </summary>
public static class SyncSecretTranslator
{
    private const string SecretKind = V1Secret.KubeKind;
    private const string SyncSecretKind = $"{SyncSecret.KindName}.{ApiGroups.Kubelb}";

    /// <summary>Carries a Secret; null if its type is never carried.</summary>
    public static SyncSecret? Translate(V1Secret secret, string tenantNamespace) =>
        SecretTypes.IsCarried(secret.Type)
            ? new SyncSecret
            {
                Metadata = new SecretOrigin(secret.Namespace(), secret.Name()).Metadata(secret.Uid(), tenantNamespace, SecretKind),
                Type = SecretTypes.OrOpaque(secret.Type),
                Immutable = secret.Immutable,
                Data = (secret.Data ?? new Dictionary<string, byte[]>())
                    .Where(entry => SecretTypes.IsCarried(secret.Type, entry.Key))
                    .ToDictionary(entry => entry.Key, entry => Convert.ToBase64String(entry.Value ?? []), StringComparer.Ordinal),
            }
            : null;

    /// <summary>Carries a SyncSecret of the tenant's cluster; null if its type is never carried.</summary>
    public static SyncSecret? Translate(SyncSecret source, string tenantNamespace) =>
        SecretTypes.IsCarried(source.Type)
            ? new SyncSecret
            {
                Metadata = new SecretOrigin(source.Namespace, source.Name).Metadata(source.Metadata.Uid, tenantNamespace, SyncSecretKind),
                Type = SecretTypes.OrOpaque(source.Type),
                Immutable = source.Immutable,
                Data = OnlyCarried(source.Type, source.Data),
                StringData = source.StringData is null ? null : OnlyCarried(source.Type, source.StringData),
            }
            : null;

    /// <summary>
    /// Whether a SyncSecret of the tenant's cluster is its user's own work. The Go CCM makes SyncSecrets from Secrets there, with the
    /// origin in their labels; those Secrets are carried without them.
    /// </summary>
    public static bool IsOfUser(SyncSecret source) => SecretOrigin.Of(source) is null;

    private static Dictionary<string, string> OnlyCarried(string? type, Dictionary<string, string>? data) =>
        (data ?? [])
            .Where(entry => SecretTypes.IsCarried(type, entry.Key))
            .ToDictionary(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal);
}
