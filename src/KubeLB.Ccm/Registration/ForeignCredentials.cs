using System.Text.RegularExpressions;
using KubeLB.Api.Naming;

namespace KubeLB.Ccm.Registration;

/// <summary>
/// Recognizes credentials of a Tenant's CCM for the management cluster that are used in another place, from the message of a 403 response:
/// it names the user.
/// </summary>
internal static partial class ForeignCredentials
{
    /// <summary>Cause and remedy of a forbidden request to the tenant's cluster; null if the user is another one.</summary>
    /// <param name="message">The message of the API server.</param>
    public static string? InTenantCluster(string message) => TenantOf(message) is { } owner ? Messages.SwappedKubeconfigs(owner) : null;

    /// <summary>Cause and remedy of a forbidden request to the management cluster; null if the user is the Tenant's.</summary>
    /// <param name="message">The message of the API server.</param>
    /// <param name="clusterName">Value of <c>--cluster-name</c>.</param>
    public static string? InManagementCluster(string message, string clusterName)
    {
        var @namespace = TenantNames.Namespace(clusterName);
        return TenantOf(message) is { } owner && TenantNames.Namespace(owner) != @namespace
            ? Messages.KubeconfigOfOtherTenant(owner, TenantNames.TenantOf(@namespace) ?? clusterName)
            : null;
    }

    private static string? TenantOf(string message) =>
        User().Match(message) is { Success: true } user ? TenantNames.TenantOf(user.Groups["namespace"].Value) : null;

    [GeneratedRegex(
        $"User \"system:serviceaccount:(?<namespace>[a-z0-9-]{{1,63}}):{TenantNames.Ccm}\"",
        RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex User();
}
