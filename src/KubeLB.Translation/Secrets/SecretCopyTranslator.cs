using System.Text.RegularExpressions;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Secrets;

/// <summary>
/// A SyncSecret of the management cluster → the Secret beside it. The SyncSecret is the tenant's word: the Secret is rebuilt from type and
/// data, and its name is the SyncSecret's own UID, which the tenant cannot choose.
/// </summary>
public static partial class SecretCopyTranslator
{
    /// <summary>What a Secret may hold, in bytes of all values.</summary>
    /// <remarks>https://kubernetes.io/docs/concepts/configuration/secret/#restriction-data-size</remarks>
    public const int MaxSize = 1024 * 1024;

    private const int MaxKeyLength = 253;

    /// <summary>The Secret, or the sentence that says what to change. Neither problem nor name tells anything of the content.</summary>
    public static (V1Secret? Secret, string? Problem) Translate(SyncSecret source)
    {
        if (TenantNames.TenantOf(source.Namespace) is null)
        {
            return (null, $"SyncSecrets belong into a tenant's namespace (tenant-<name>), not into {source.Namespace}.");
        }

        if (!SecretTypes.IsCarried(source.Type))
        {
            return (null, $"type \"{source.Type}\" is not supported; supported are {SecretTypes.Carried}.");
        }

        var (data, problem) = Data(source);
        if (problem is not null)
        {
            return (null, problem);
        }

        if (data.Values.Sum(value => (long)value.Length) > MaxSize)
        {
            return (null, $"data holds more than {MaxSize} bytes; make the tenant's Secret smaller.");
        }

        if (
            source.Type == SecretTypes.Tls
            && !(data.ContainsKey(SecretTypes.TlsCertificateKey) && data.ContainsKey(SecretTypes.TlsPrivateKeyKey))
        )
        {
            return (
                null,
                $"data of type {SecretTypes.Tls} must contain {SecretTypes.TlsCertificateKey} and {SecretTypes.TlsPrivateKeyKey}."
            );
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
            // A key that is none could be anything, also a part of the content.
            return (
                data,
                $"a key of data is not usable; keys have at most {MaxKeyLength} characters, all of them letters, digits, '-', '_' or '.'."
            );
        }

        foreach (var (key, value) in (source.Data ?? []).Where(entry => SecretTypes.IsCarried(source.Type, entry.Key)))
        {
            try
            {
                data[key] = Convert.FromBase64String(value ?? "");
            }
            catch (FormatException)
            {
                return (data, $"data.{key} is not base64.");
            }
        }

        // As in a Secret: what is written plain wins.
        foreach (var (key, value) in (source.StringData ?? []).Where(entry => SecretTypes.IsCarried(source.Type, entry.Key)))
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
