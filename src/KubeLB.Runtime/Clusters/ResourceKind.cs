using System.Collections.Concurrent;
using System.Reflection;
using k8s.Models;

namespace KubeLB.Runtime.Clusters;

/// <summary>A kind of Kubernetes object.</summary>
/// <param name="Group">API group, for example <c>gateway.networking.k8s.io</c>; empty for the core group.</param>
/// <param name="Version">Version, for example <c>v1</c>.</param>
/// <param name="Kind">Kind, for example <c>HTTPRoute</c>.</param>
/// <param name="Plural">Plural name, for example <c>httproutes</c>.</param>
public sealed record ResourceKind(string Group, string Version, string Kind, string Plural)
{
    private static readonly ConcurrentDictionary<Type, ResourceKind> Known = new();

    /// <summary>The value of <c>apiVersion</c>: <c>group/version</c>, or only the version for the core group.</summary>
    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary><c>plural.group</c>, or only the plural for the core group, as in kubectl and in names of CRDs.</summary>
    public string FullName => Group.Length == 0 ? Plural : $"{Plural}.{Group}";

    /// <summary>Reads the kind from the <see cref="KubernetesEntityAttribute"/> of <typeparamref name="T"/>.</summary>
    /// <exception cref="InvalidOperationException">The attribute is missing or incomplete.</exception>
    public static ResourceKind Of<T>() => Known.GetOrAdd(typeof(T), Read);

    /// <inheritdoc />
    public override string ToString() => FullName;

    private static ResourceKind Read(Type type)
    {
        var entity =
            type.GetCustomAttribute<KubernetesEntityAttribute>(inherit: false)
            ?? throw new InvalidOperationException(
                $"{type.FullName} is not a Kubernetes resource: add [KubernetesEntity(Group = ..., ApiVersion = ..., Kind = ..., "
                    + "PluralName = ...)] to it."
            );
        if (string.IsNullOrEmpty(entity.ApiVersion) || string.IsNullOrEmpty(entity.Kind) || string.IsNullOrEmpty(entity.PluralName))
        {
            throw new InvalidOperationException(
                $"[KubernetesEntity] of {type.FullName} is incomplete: set ApiVersion, Kind and PluralName (Group is empty for the core "
                    + "group)."
            );
        }

        return new ResourceKind(entity.Group ?? "", entity.ApiVersion, entity.Kind, entity.PluralName);
    }
}
