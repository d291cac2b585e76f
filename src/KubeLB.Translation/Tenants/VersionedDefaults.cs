using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Endpoints;

namespace KubeLB.Translation.Tenants;

/// <summary>
/// The defaults of each minor version. A Tenant that existed before a version keeps the defaults of the version before it until the next
/// one, so that an upgrade rejects nothing that is served. Settings of the administrator always apply at once.
/// </summary>
public static class VersionedDefaults
{
    /// <summary>The minor version whose defaults are <see cref="TenantPolicy.Default"/>.</summary>
    public const string Current = "0.1";

    /// <summary>The minor version in which every Tenant has at least the defaults of <see cref="Current"/>.</summary>
    public const string Next = "0.2";

    private static readonly Version CurrentVersion = Version.Parse(Current);

    // Before the first version, as in the Go project, there were no limits. These are so high that only an attack reaches them: what a
    // Route contains is compared with itself, and the manager stores it.
    private static readonly TenantPolicy Previous = new()
    {
        GatewayLimit = int.MaxValue,
        RouteLimit = int.MaxValue,
        MaxRouteBytes = RouteSpecJson.MaxSize,
        MaxTotalBytes = 8 * TenantPolicy.Default.MaxTotalBytes,
        MaxServices = 1024,
        MaxTotalServices = int.MaxValue,
        MaxPorts = 4096,
        MaxListeners = 1024,
        MaxHostnames = 1024,
        MaxBackends = 1024,
        MaxRetries = int.MaxValue,
        NodePorts = NodePortRanges.All,
        DeniesManagementCluster = false,
    };

    /// <summary>
    /// The defaults of a Tenant, by annotation <see cref="Annotations.Defaults"/>. Without it, the Tenant is older than this project; with
    /// an invalid value it has the current defaults.
    /// </summary>
    public static TenantPolicy Of(Tenant tenant) => HasEarlier(tenant) ? Previous : TenantPolicy.Default;

    /// <summary>Whether the defaults of the Tenant are earlier than the current ones.</summary>
    public static bool HasEarlier(Tenant tenant) =>
        VersionOf(tenant) is not { } text || (Version.TryParse(text, out var version) && version < CurrentVersion);

    /// <summary>Whether a Tenant has other defaults after a change.</summary>
    public static bool Differ(Tenant? old, Tenant? now) => old is not null && now is not null && HasEarlier(old) != HasEarlier(now);

    private static string? VersionOf(Tenant tenant) =>
        tenant.Metadata.Annotations?.TryGetValue(Annotations.Defaults, out var text) == true ? text : null;
}
