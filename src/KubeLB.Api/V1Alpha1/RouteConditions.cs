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
}
