namespace KubeLB.Api.V1Alpha1;

/// <summary>Condition types and reasons of a Route's status.</summary>
public static class RouteConditions
{
    /// <summary>Whether a generated object was written.</summary>
    public const string ResourceAppliedSuccessfully = "ResourceAppliedSuccessfully";

    /// <summary>Reason of <c>True</c>.</summary>
    public const string InstallationSuccessful = "InstallationSuccessful";

    /// <summary>Reason of <c>False</c>; the error is the message.</summary>
    public const string InstallationFailed = "InstallationFailed";

    /// <summary>Message of <c>True</c>.</summary>
    public const string SuccessMessage = "Success";

    /// <summary>
    /// Type: False while the operator's settings for the tenant do not permit the tenant's object; there is none otherwise. Its reason is
    /// shown to the tenant.
    /// </summary>
    public const string Permitted = "Permitted";

    /// <summary>Reason of <see cref="Permitted"/>: Gateway API, or the object's kind, is switched off for the tenant.</summary>
    public const string Disabled = "Disabled";

    /// <summary>Reason of <see cref="Permitted"/>: older objects of the tenant have all the places.</summary>
    public const string LimitExceeded = "LimitExceeded";

    /// <summary>Reason of <see cref="Permitted"/>: a hostname is not of the domains that the tenant may use.</summary>
    public const string HostnameNotAllowed = "HostnameNotAllowed";
}
