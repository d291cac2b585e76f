using k8s.Models;
using KubeLB.Api;
using KubeLB.Translation.Secrets;

namespace KubeLB.Ccm.Secrets;

/// <summary>
/// What the cache keeps of a tenant's Secret: the content only where it may be needed, the annotations never, since kubectl's record of the
/// last apply repeats the content.
/// </summary>
internal static class StoredSecret
{
    /// <summary>Leaves what Helm stores out of the watch: it is large and never referred to.</summary>
    public const string FieldSelector = "type!=helm.sh/release.v1";

    public static V1Secret Of(V1Secret secret, bool synchronizes)
    {
        secret.Metadata.Annotations = null;
        secret.StringData = null;
        secret.Data =
            secret.Data is not null && (secret.Type == SecretTypes.Tls || (synchronizes && IsLabelled(secret)))
                ? secret
                    .Data.Where(entry => SecretTypes.IsSynced(secret.Type, entry.Key))
                    .ToDictionary(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal)
                : null;
        return secret;
    }

    /// <summary>Whether its user wants it carried whoever refers to it.</summary>
    public static bool IsLabelled(V1Secret secret) =>
        secret.Metadata.Labels?.TryGetValue(Labels.ManagedBy, out var managedBy) == true && managedBy == Labels.ManagedByKubelb;
}
