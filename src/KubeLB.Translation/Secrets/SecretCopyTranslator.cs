using System.Text.RegularExpressions;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.Secrets;

/// <summary>
/// Translates a SyncSecret of the management cluster to a Secret in its namespace. The SyncSecret is untrusted: only its type, data and
/// origin are copied, and the Secret is named after the SyncSecret's own UID, which the tenant cannot choose.
/// </summary>
public static partial class SecretCopyTranslator
{
    /// <summary>Maximum size of all values of a Secret in bytes.</summary>
    /// <remarks>https://kubernetes.io/docs/concepts/configuration/secret/#restriction-data-size</remarks>
    public const int MaxSize = 1024 * 1024;

    private const int MaxKeyLength = 253;

    /// <summary>The Secret, or why the SyncSecret is rejected. Problem and name disclose nothing of the content.</summary>
    public static (V1Secret? Secret, string? Problem) Translate(SyncSecret source)
    {
        if (TenantNames.TenantOf(source.Namespace) is null)
        {
            return (null, SecretMessages.NamespaceNotAllowed(source.Namespace));
        }

        if (!SecretTypes.IsSynced(source.Type))
        {
            return (null, SecretMessages.UnsupportedType(source.Type ?? "", SecretTypes.Supported));
        }

        var (data, problem) = Data(source);
        if (problem is not null)
        {
            return (null, problem);
        }

        if (data.Values.Sum(value => (long)value.Length) > MaxSize)
        {
            return (null, SecretMessages.TooLarge(MaxSize));
        }

        if (
            source.Type == SecretTypes.Tls
            && !(data.ContainsKey(SecretTypes.TlsCertificateKey) && data.ContainsKey(SecretTypes.TlsPrivateKeyKey))
        )
        {
            return (null, SecretMessages.MissingDataKeys(SecretTypes.Tls, SecretTypes.TlsCertificateKey, SecretTypes.TlsPrivateKeyKey));
        }

        return (
            new V1Secret
            {
                ApiVersion = V1Secret.KubeApiVersion,
                Kind = V1Secret.KubeKind,
                Metadata = Metadata(source),
                Type = SecretTypes.OrOpaque(source.Type),
                Data = data,
            },
            null
        );
    }

    private static V1ObjectMeta Metadata(SyncSecret source)
    {
        var metadata =
            SecretOrigin.Of(source)?.Metadata(source.Metadata.Uid, source.Namespace, resourceKind: null)
            ?? new V1ObjectMeta
            {
                Name = source.Metadata.Uid,
                NamespaceProperty = source.Namespace,
                Labels = new Dictionary<string, string>(StringComparer.Ordinal) { [Labels.ManagedBy] = Labels.ManagedByKubelb },
            };
        metadata.OwnerReferences =
        [
            new V1OwnerReference
            {
                ApiVersion = KubelbVersion.ApiVersion,
                Kind = SyncSecret.KindName,
                Name = source.Name,
                Uid = source.Metadata.Uid,
            },
        ];
        return metadata;
    }

    private static (Dictionary<string, byte[]> Data, string? Problem) Data(SyncSecret source)
    {
        var data = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        if (
            (source.Data?.Keys ?? Enumerable.Empty<string>())
                .Concat(source.StringData?.Keys ?? Enumerable.Empty<string>())
                .FirstOrDefault(key => !IsKey(key))
            is not null
        )
        {
            // An invalid key may be part of the content and must not be quoted.
            return (data, SecretMessages.InvalidDataKey(MaxKeyLength));
        }

        foreach (var (key, value) in (source.Data ?? []).Where(entry => SecretTypes.IsSynced(source.Type, entry.Key)))
        {
            try
            {
                data[key] = Convert.FromBase64String(value ?? "");
            }
            catch (FormatException)
            {
                return (data, SecretMessages.InvalidBase64(key));
            }
        }

        // As in a Secret, stringData takes precedence over data.
        foreach (var (key, value) in (source.StringData ?? []).Where(entry => SecretTypes.IsSynced(source.Type, entry.Key)))
        {
            data[key] = System.Text.Encoding.UTF8.GetBytes(value ?? "");
        }

        return (data, null);
    }

    private static bool IsKey(string key) =>
        key.Length <= MaxKeyLength && KeyCharacters().IsMatch(key) && key != "." && !key.StartsWith("..", StringComparison.Ordinal);

    [GeneratedRegex(@"^[-._a-zA-Z0-9]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex KeyCharacters();
}
