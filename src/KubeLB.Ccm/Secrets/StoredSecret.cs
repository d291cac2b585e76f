using k8s.Models;
using KubeLB.Api;
using KubeLB.Translation.Secrets;

namespace KubeLB.Ccm.Secrets;

/// <summary>
/// Reduces a tenant's Secret to what the cache needs: the data only if it may be copied, and no annotations, since kubectl's last-applied
/// annotation repeats the data.
/// </summary>
internal static class StoredSecret
{
    /// <summary>Excludes Helm releases from the watch: they are large and never referenced.</summary>
    public const string FieldSelector = "type!=helm.sh/release.v1";

    public static V1Secret Reduce(V1Secret secret, bool isSynchronizerEnabled)
    {
        secret.Metadata.Annotations = null;
        secret.StringData = null;
        secret.Data =
            secret.Data is not null && (secret.Type == SecretTypes.Tls || (isSynchronizerEnabled && IsLabelled(secret)))
                ? secret
                    .Data.Where(entry => SecretTypes.IsCarried(secret.Type, entry.Key))
                    .ToDictionary(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal)
                : null;
        return secret;
    }

    /// <summary>Whether the Secret is labelled for the secret synchronizer.</summary>
    public static bool IsLabelled(V1Secret secret) =>
        secret.Metadata.Labels?.TryGetValue(Labels.ManagedBy, out var managedBy) == true && managedBy == Labels.ManagedByKubelb;
}
