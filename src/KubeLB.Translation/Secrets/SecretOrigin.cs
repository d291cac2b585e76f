using k8s;
using k8s.Models;
using KubeLB.Api;

namespace KubeLB.Translation.Secrets;

/// <summary>
/// The tenant's Secret that a SyncSecret, or the Secret made from it, stands for: read from labels, and written into them.
/// </summary>
/// <param name="Namespace">Namespace in the tenant's cluster.</param>
/// <param name="Name">Name.</param>
public sealed record SecretOrigin(string Namespace, string Name)
{
    /// <summary>Reads the origin; null where the labels do not name one.</summary>
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

        // The annotation counts only for the name that the label cannot hold.
        return value.Metadata.Annotations?.TryGetValue(Annotations.OriginName, out var whole) == true && Labels.Value(whole) == name
            ? new SecretOrigin(@namespace, whole)
            : new SecretOrigin(@namespace, name);
    }

    /// <summary>Metadata that says so.</summary>
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
