using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Secrets;

namespace KubeLB.Ccm.Caching;

/// <summary>Indexes over references that lead to Secrets or into other namespaces.</summary>
internal static class ReferenceIndexes
{
    /// <summary>Gateways by <c>namespace/name</c> of the Secrets that their listeners refer to.</summary>
    public const string ByCertificate = "certificate";

    /// <summary>Gateways and routes by the other namespaces that they refer into.</summary>
    public const string ByReferencedNamespace = "referenced-namespace";

    /// <summary>ReferenceGrants by namespace.</summary>
    public const string ByNamespace = "namespace";

    /// <summary>SyncSecrets of the management cluster by <c>namespace/name</c> of the tenant's Secret.</summary>
    public const string BySecretOrigin = "secret-origin";

    public static IEnumerable<string> Certificates(Gateway gateway) =>
        ListenerCertificates.SecretsOf(gateway).Select(s => Indexes.Key(s.Namespace, s.Name));

    public static IEnumerable<string> ReferencedNamespaces(Gateway gateway) =>
        ListenerCertificates.SecretsOf(gateway).Select(s => s.Namespace).Where(n => n != gateway.Namespace).Distinct();

    public static IEnumerable<string> ReferencedNamespaces(IGatewayRoute route) =>
        BackendReferences.ServicesOf(route).Select(s => s.Namespace).Where(n => n != route.Metadata.NamespaceProperty).Distinct();

    public static IEnumerable<string> Namespace(ReferenceGrant grant) => [grant.Namespace];

    public static IEnumerable<string> SecretOrigins(SyncSecret syncSecret) =>
        SecretOrigin.Of(syncSecret) is { } origin ? [Indexes.Key(origin.Namespace, origin.Name)] : [];
}
