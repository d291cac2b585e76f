using KubeLB.Api.Naming;

namespace KubeLB.Api;

/// <summary>Labels that KubeLB sets, and their fixed values.</summary>
public static class Labels
{
    /// <summary>Name of the tenant's object that this one was generated from.</summary>
    public const string OriginName = "kubelb.k8c.io/origin-name";

    /// <summary>Namespace of the tenant's object that this one was generated from.</summary>
    public const string OriginNamespace = "kubelb.k8c.io/origin-ns";

    /// <summary><c>Kind.group</c> of the tenant's object, for example <c>HTTPRoute.gateway.networking.k8s.io</c>.</summary>
    public const string OriginResourceKind = "kubelb.k8c.io/origin-resource-kind";

    /// <summary>Marks objects that KubeLB generated; value <see cref="ManagedByKubelb"/>.</summary>
    public const string ManagedBy = "kubelb.k8c.io/managed-by";

    /// <summary>Value of <see cref="ManagedBy"/>.</summary>
    public const string ManagedByKubelb = "kubelb";

    /// <summary>Kubernetes' recommended label for the name of an application; the tenant's namespace on the tenant's Envoy pods.</summary>
    public const string AppName = "app.kubernetes.io/name";

    /// <summary>Kubernetes' recommended label for the instance of an application; the tenant's namespace.</summary>
    public const string AppInstance = "app.kubernetes.io/instance";

    /// <summary>Kubernetes' recommended label for what manages an object; value <see cref="ManagedByKubelb"/>.</summary>
    public const string AppManagedBy = "app.kubernetes.io/managed-by";

    /// <summary>Maximum length of a label value.</summary>
    public const int MaxValueLength = 63;

    /// <summary>
    /// <paramref name="name"/> as a label value. A name that is too long for a label value is truncated, and 4 hex digits of its SHA-256
    /// are appended.
    /// </summary>
    public static string Value(string name) =>
        name.Length <= MaxValueLength ? name : $"{name[..(MaxValueLength - 5)].TrimEnd('-', '.')}-{GeneratedNames.Hash(name)}";
}
