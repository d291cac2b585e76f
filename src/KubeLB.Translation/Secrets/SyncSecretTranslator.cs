using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Secrets;

/// <summary>
/// Translates a tenant's Secret, or a SyncSecret that a user created in the tenant's cluster, to the SyncSecret of the management cluster.
/// Only type, data, immutable and the origin are copied: other metadata, such as kubectl's last-applied annotation, may contain the data.
/// </summary>
public static class SyncSecretTranslator
{
    private const string SecretKind = V1Secret.KubeKind;
    private const string SyncSecretKind = $"{SyncSecret.KindName}.{ApiGroups.Kubelb}";

    /// <summary>Translates a Secret; null if its type is not supported.</summary>
    public static SyncSecret? Translate(V1Secret secret, string tenantNamespace) =>
        SecretTypes.IsSynced(secret.Type)
            ? new SyncSecret
            {
                Metadata = new SecretOrigin(secret.Namespace(), secret.Name()).Metadata(secret.Uid(), tenantNamespace, SecretKind),
                Type = SecretTypes.OrOpaque(secret.Type),
                Immutable = secret.Immutable,
                Data = (secret.Data ?? new Dictionary<string, byte[]>())
                    .Where(entry => SecretTypes.IsSynced(secret.Type, entry.Key))
                    .ToDictionary(entry => entry.Key, entry => Convert.ToBase64String(entry.Value ?? []), StringComparer.Ordinal),
            }
            : null;

    /// <summary>Translates a SyncSecret of the tenant's cluster; null if its type is not supported.</summary>
    public static SyncSecret? Translate(SyncSecret source, string tenantNamespace) =>
        SecretTypes.IsSynced(source.Type)
            ? new SyncSecret
            {
                Metadata = new SecretOrigin(source.Namespace, source.Name).Metadata(source.Metadata.Uid, tenantNamespace, SyncSecretKind),
                Type = SecretTypes.OrOpaque(source.Type),
                Immutable = source.Immutable,
                Data = OnlySynced(source.Type, source.Data),
                StringData = source.StringData is null ? null : OnlySynced(source.Type, source.StringData),
            }
            : null;

    /// <summary>
    /// Whether a user created a SyncSecret of the tenant's cluster. The Go CCM creates SyncSecrets from Secrets there, with the origin in
    /// their labels; those Secrets are synced directly.
    /// </summary>
    public static bool IsUserCreated(SyncSecret source) => SecretOrigin.Of(source) is null;

    private static Dictionary<string, string> OnlySynced(string? type, Dictionary<string, string>? data) =>
        (data ?? [])
            .Where(entry => SecretTypes.IsSynced(type, entry.Key))
            .ToDictionary(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal);
}
