using System.Globalization;
using KubeLB.Api.Messages;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Messages;

/// <summary>
/// Conditions of Tenants, and the rejections by the administrator's settings that the tenant reads in its Gateways and routes.
/// </summary>
internal static class TenantMessages
{
    private const string Sources = "Gateway, HTTPRoute, GRPCRoute";
    private const string AskAdministrator = "ask the administrator of the management cluster";

    /// <summary>The name of a Tenant is only the prefix.</summary>
    [ReportedMessage(
        TenantReasons.InvalidName,
        On = "Tenant",
        Condition = "Ready=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public const string NameIsPrefix =
        "Invalid Tenant name: \"tenant-\" is only the prefix of namespaces. Recreate the Tenant with a name such as shop.";

    /// <summary>The name of a Tenant is too long.</summary>
    [ReportedMessage(
        TenantReasons.InvalidName,
        On = "Tenant",
        Condition = "Ready=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public static string NameTooLong(string @namespace, int maxLength, int maxNameLength) =>
        $"Invalid Tenant name: namespace {@namespace} exceeds {maxLength} characters. "
        + $"Recreate the Tenant with a name of at most {maxNameLength} characters.";

    /// <summary>The name of a Tenant has dots.</summary>
    [ReportedMessage(
        TenantReasons.InvalidName,
        On = "Tenant",
        Condition = "Ready=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public static string NameHasDots(string @namespace) =>
        $"Invalid Tenant name: namespace {@namespace} must not contain dots. Recreate the Tenant with a name without dots.";

    /// <summary>An older Tenant owns the namespace.</summary>
    [ReportedMessage(
        TenantReasons.InvalidName,
        On = "Tenant",
        Condition = "Ready=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public static string NamespaceConflict(string owner, string @namespace) =>
        $"Namespace {@namespace} already belongs to Tenant {owner}, which is older. "
        + "Delete one of the two Tenants, or recreate this one under another name.";

    /// <summary>The Config has an invalid URL of the API server.</summary>
    [ReportedMessage(
        TenantReasons.NoServerUrl,
        On = "Tenant",
        Condition = "Ready=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public static string InvalidServerUrl(string config, string url) =>
        $"spec.apiServerURL of Config {config}: invalid URL \"{url}\"; use a URL such as https://api.example.com:6443.";

    /// <summary>No source gives the URL under which tenants reach the API server.</summary>
    [ReportedMessage(
        TenantReasons.NoServerUrl,
        On = "Tenant",
        Condition = "Ready=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public static string ServerUrlUnknown(string config, string configMap, string service) =>
        $"Cannot determine the API server URL for tenants from ConfigMap {configMap} or Service {service}. "
        + $"Set spec.apiServerURL of Config {config}, such as https://api.example.com:6443.";

    /// <summary>A CCM of another cluster connected, and the cluster that the tenant is bound to is invalid.</summary>
    [ReportedMessage(
        TenantCcmConditions.ClusterMismatch,
        On = "Tenant",
        Condition = "ClusterAccepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public static string InvalidClusterUid(string otherCluster) =>
        $"Rejected a CCM of cluster {otherCluster}: annotation cluster-uid of Addresses is not a UID. "
        + "Set it to the UID of namespace kube-system of the tenant's cluster, or delete it.";

    /// <summary>A CCM of another cluster than the one that the tenant is bound to connected.</summary>
    [ReportedMessage(
        TenantCcmConditions.ClusterMismatch,
        On = "Tenant",
        Condition = "ClusterAccepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public static string ClusterMismatch(string otherCluster, string boundCluster) =>
        $"Rejected a CCM of cluster {otherCluster}; the tenant is bound to {boundCluster}. "
        + "Correct its kubeconfig, or set cluster-uid of Addresses to the first UID.";

    /// <summary>The CCM has not reported for an hour.</summary>
    [ReportedMessage(
        TenantCcmConditions.CcmNotSeen,
        On = "Tenant",
        Condition = "CcmConnected=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public static string CcmNotSeen(string ccm, string lastSeen) =>
        $"The {ccm} last reported at {lastSeen}; changes in the tenant's cluster have no effect. "
        + "Check its pod there, or delete the Tenant if that cluster is gone.";

    /// <summary>Gateway API is disabled for the tenant.</summary>
    [ReportedMessage(RouteConditions.Disabled, On = Sources, Condition = "Accepted=False", Event = "Warning")]
    public static string GatewayApiDisabled(string tenant) =>
        $"Gateway API is disabled for tenant {tenant}; {AskAdministrator} to enable it (gatewayAPI.disable).";

    /// <summary>The kind of the route is disabled for the tenant.</summary>
    [ReportedMessage(RouteConditions.Disabled, On = "HTTPRoute, GRPCRoute", Condition = "Accepted=False", Event = "Warning")]
    public static string KindDisabled(string kind, string tenant) =>
        $"{kind}s are disabled for tenant {tenant}; {AskAdministrator} to enable them (gatewayAPI.disable{kind}), "
        + "or use a route of another kind.";

    /// <summary>The limit of the tenant is 0.</summary>
    [ReportedMessage(RouteConditions.LimitExceeded, On = Sources, Condition = "Accepted=False", Event = "Warning")]
    public static string LimitIsZero(string objects, string tenant, string field) =>
        $"{objects} are not allowed for tenant {tenant} (limit 0); {AskAdministrator} to raise gatewayAPI.{field}.limit.";

    /// <summary>Older objects of the tenant use up the limit.</summary>
    [ReportedMessage(RouteConditions.LimitExceeded, On = Sources, Condition = "Accepted=False", Event = "Warning")]
    public static string LimitReached(string objects, string tenant, int limit, string field) =>
        $"Limit of {objects} of tenant {tenant} reached ({limit}). Delete an older one, "
        + $"or {AskAdministrator} to raise gatewayAPI.{field}.limit.";

    /// <summary>The object with its Services is larger than a Route may be.</summary>
    [ReportedMessage(RouteConditions.LimitExceeded, On = Sources, Condition = "Accepted=False", Event = "Warning")]
    public static string RouteTooLarge(string tenant, int size, int limit) =>
        $"The object with its Services has {Text(size)} bytes; the limit of tenant {tenant} is {Text(limit)}. "
        + $"Split it, or {AskAdministrator} to raise limits.routeBytes.";

    /// <summary>Older objects of the tenant use up the size that all its objects may have.</summary>
    [ReportedMessage(RouteConditions.LimitExceeded, On = Sources, Condition = "Accepted=False", Event = "Warning")]
    public static string TotalSizeReached(string tenant, int limit) =>
        $"The objects of tenant {tenant} exceed {Text(limit)} bytes. "
        + $"Delete an older one, or {AskAdministrator} to raise limits.totalBytes.";

    /// <summary>A Gateway or route has more parts of a kind than it may.</summary>
    [ReportedMessage(RouteConditions.LimitExceeded, On = Sources, Condition = "Accepted=False", Event = "Warning")]
    public static string ObjectLimitExceeded(string kind, string objects, string tenant, int number, int limit, string field) =>
        $"The {kind} has {Text(number)} {objects}; the limit of tenant {tenant} is {Text(limit)}. "
        + $"Split it, or {AskAdministrator} to raise limits.{field}.";

    /// <summary>The routes of the tenant need more Services than may be generated for it.</summary>
    [ReportedMessage(RouteConditions.LimitExceeded, On = Sources, Condition = "Accepted=False", Event = "Warning")]
    public static string TotalServicesReached(string tenant, int limit) =>
        $"The routes of tenant {tenant} need more than {Text(limit)} Services. "
        + $"Delete a route, or {AskAdministrator} to raise limits.totalServices.";

    /// <summary>No entry of the tenant's allowed domains is valid.</summary>
    [ReportedMessage(RouteConditions.HostnameNotAllowed, On = Sources, Condition = "Accepted=False", Event = "Warning")]
    public static string NoDomainAllowed(string tenant) =>
        $"No domain is allowed for tenant {tenant}, because allowedDomains has no valid entry; {AskAdministrator} to correct it.";

    /// <summary>A listener without a hostname would serve domains that the tenant may not use.</summary>
    [ReportedMessage(RouteConditions.HostnameNotAllowed, On = "Gateway", Condition = "Accepted=False", Event = "Warning")]
    public static string HostnameMissing(string listener, string domains) =>
        $"Listener {listener} has no hostname and would serve every domain. Use a hostname of {domains}, "
        + $"or {AskAdministrator} to change allowedDomains.";

    /// <summary>The hostname of a listener is not of the tenant's allowed domains.</summary>
    [ReportedMessage(RouteConditions.HostnameNotAllowed, On = "Gateway", Condition = "Accepted=False", Event = "Warning")]
    public static string ListenerHostnameNotAllowed(string hostname, string listener, string domains) =>
        $"Hostname {hostname} of listener {listener} is not allowed. Use a hostname of {domains}, "
        + $"or {AskAdministrator} to change allowedDomains.";

    /// <summary>A hostname of the route is not of the tenant's allowed domains.</summary>
    [ReportedMessage(RouteConditions.HostnameNotAllowed, On = "HTTPRoute, GRPCRoute", Condition = "Accepted=False", Event = "Warning")]
    public static string HostnameNotAllowed(string hostname, string domains) =>
        $"Hostname {hostname} is not allowed. Use a hostname of {domains}, or {AskAdministrator} to change allowedDomains.";

    /// <summary>With exclusiveHostnames, another tenant used the hostname of a listener, or one that overlaps it, before.</summary>
    [ReportedMessage(RouteConditions.HostnameInUse, On = "Gateway", Condition = "Accepted=False", Event = "Warning")]
    public static string ListenerHostnameInUse(string hostname, string listener) =>
        $"Hostname {hostname} of listener {listener} is already in use, or overlaps one that is. "
        + $"Use another hostname, or {AskAdministrator}.";

    /// <summary>With exclusiveHostnames, another tenant used a hostname of the route, or one that overlaps it, before.</summary>
    [ReportedMessage(RouteConditions.HostnameInUse, On = "HTTPRoute, GRPCRoute", Condition = "Accepted=False", Event = "Warning")]
    public static string HostnameInUse(string hostname) =>
        $"Hostname {hostname} is already in use, or overlaps one that is. Use another hostname, or {AskAdministrator}.";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>The next version will reject an object.</summary>
    [ReportedMessage(RouteConditions.EarlierDefaults, On = Sources, Condition = "kubelb.k8c.io/DefaultExceeded=True", Event = "Warning")]
    public static string DefaultExceeded(string version, string message) =>
        $"Served until KubeLB {version}, which will reject it: {message}";
}
