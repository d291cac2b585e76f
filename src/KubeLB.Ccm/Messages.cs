using KubeLB.Api.GatewayApi;
using KubeLB.Api.Messages;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Attachment;

namespace KubeLB.Ccm;

/// <summary>
/// All texts of conditions and Events that the CCM itself writes; the tenant reads them in its own cluster. Texts without attribute are
/// for the log, <c>/readyz</c> and <c>check</c>.
/// </summary>
internal static class Messages
{
    private const string StatusKinds = "Gateway, HTTPRoute, GRPCRoute";

    /// <summary>The class of a Gateway is valid again.</summary>
    [ReportedMessage(GatewayOwnership.ClassNotFound, On = "Gateway", Event = "Normal")]
    [ReportedMessage(GatewayOwnership.ClassConflict, On = "Gateway", Event = "Normal")]
    public static string ClassRecovered(string gatewayClass) => $"GatewayClass {gatewayClass} belongs to KubeLB.";

    /// <summary>The GatewayClass of a Gateway that KubeLB served now names another controller.</summary>
    [ReportedMessage(
        GatewayOwnership.Released,
        On = "Gateway",
        Event = "Warning",
        Remedy = "Use a GatewayClass of KubeLB's controller, if KubeLB is to serve the Gateway."
    )]
    public static string ClassOfOtherController(string gatewayClass) =>
        $"GatewayClass {gatewayClass} belongs to another controller; KubeLB no longer serves this Gateway. "
        + $"To serve it again, use a class of controller {GatewayClass.KubelbController}.";

    /// <summary>The tenant's namespace does not exist in the management cluster.</summary>
    [ReportedMessage(
        GatewayConditions.TenantNotRegistered,
        On = StatusKinds,
        Condition = "Accepted=False",
        Event = "Warning",
        Remedy = "Ask the administrator of the management cluster to create the Tenant."
    )]
    public static string TenantNotRegistered(string tenant) =>
        $"Tenant {tenant} is not registered in the management cluster. Ask its administrator to create the Tenant.";

    /// <summary>The tenant's namespace is being deleted in the management cluster.</summary>
    [ReportedMessage(
        GatewayConditions.TenantNotRegistered,
        On = StatusKinds,
        Condition = "Accepted=False",
        Event = "Warning",
        Remedy = "Ask the administrator of the management cluster to recreate the Tenant."
    )]
    public static string TenantTerminating(string tenant) =>
        $"Tenant {tenant} is being deleted in the management cluster. Ask its administrator to recreate the Tenant.";

    /// <summary>The management cluster lacks a CustomResourceDefinition of KubeLB.</summary>
    [ReportedMessage(
        GatewayConditions.ManagementClusterRejected,
        On = StatusKinds,
        Condition = "Accepted=False",
        Event = "Warning",
        Remedy = "Ask the administrator of the management cluster to install KubeLB's CustomResourceDefinitions."
    )]
    public static string DefinitionMissing(string resource) =>
        $"CustomResourceDefinition {resource} is not installed in the management cluster. Ask its administrator to install KubeLB's "
        + "CustomResourceDefinitions.";

    /// <summary>The CCM's kubeconfig does not grant the creation of objects in the tenant's namespace.</summary>
    [ReportedMessage(
        GatewayConditions.ManagementClusterRejected,
        On = StatusKinds,
        Condition = "Accepted=False",
        Event = "Warning",
        Remedy = "Ask the administrator of the management cluster whether the Tenant exists, and for its current kubeconfig."
    )]
    public static string CreationForbidden(string resource, string tenant) =>
        $"The management cluster forbids this cluster to create {resource} for Tenant {tenant}. "
        + "Ask its administrator whether the Tenant exists, and for its current kubeconfig.";

    /// <summary>The management cluster rejected the credentials in the CCM's kubeconfig.</summary>
    [ReportedMessage(
        GatewayConditions.ManagementClusterRejected,
        On = StatusKinds,
        Condition = "Accepted=False",
        Event = "Warning",
        Remedy = "Ask the administrator of the management cluster for the Tenant's current kubeconfig."
    )]
    public static string InvalidCredentials(string tenant) =>
        "The management cluster rejected the credentials of this cluster. "
        + $"Ask its administrator for the current kubeconfig of Tenant {tenant}.";

    /// <summary>Both names of the node-port Service of a backend belong to other Services.</summary>
    [ReportedMessage(
        GatewayConditions.NodePortServiceRejected,
        On = "HTTPRoute, GRPCRoute",
        Condition = "ResolvedRefs=False",
        Event = "Warning",
        Remedy = "Rename or delete the other Service."
    )]
    public static string NodePortServiceConflict(string service) =>
        $"Service {service} already exists and was not created by KubeLB. Rename or delete it.";

    /// <summary>The tenant's cluster forbids requests of the user that a Tenant's CCM has in the management cluster.</summary>
    public static string SwappedKubeconfigs(string owner) =>
        $"--kubeconfig holds the credentials of Tenant {owner} for the management cluster. "
        + "Are --kubeconfig and --kubelb-kubeconfig swapped?";

    /// <summary>The management cluster forbids requests of the user of another Tenant's CCM.</summary>
    public static string KubeconfigOfOtherTenant(string owner, string clusterName) =>
        $"The kubeconfig belongs to Tenant {owner}, but --cluster-name is {clusterName}. "
        + $"Use --cluster-name {owner}, or the kubeconfig of Tenant {clusterName}.";

    /// <summary>A ResourceQuota of the tenant's namespace in the management cluster is used up.</summary>
    [ReportedMessage(RouteConditions.QuotaExceeded, On = StatusKinds, Condition = "Accepted=False", Event = "Warning")]
    public static string QuotaExceeded(string tenant) =>
        $"The quota of Tenant {tenant} in the management cluster is used up. Delete routes, or ask its administrator for a larger quota.";

    /// <summary>An admission webhook or policy of the management cluster denied the object.</summary>
    [ReportedMessage(
        RouteConditions.AdmissionDenied,
        On = StatusKinds,
        Condition = "Accepted=False",
        Event = "Warning",
        Remedy = "Correct the object, or ask the administrator to permit it."
    )]
    public static string AdmissionDenied(string explanation) =>
        $"A policy of the management cluster denied the object: {explanation.TrimEnd('.')}. "
        + "Correct the object, or ask the administrator to permit it.";

    /// <summary>The API server of the management cluster rejected the object as invalid or too large.</summary>
    [ReportedMessage(
        GatewayConditions.ManagementClusterRejected,
        On = StatusKinds,
        Condition = "Accepted=False",
        Event = "Warning",
        Remedy = "Correct the object as the API server's error says."
    )]
    public static string ObjectRejected(string error) => $"The management cluster rejected the object: {error}";
}
