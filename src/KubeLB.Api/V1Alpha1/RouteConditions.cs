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
    /// Whether the retries that annotations ask for are in force (see <see cref="EnvoyGateway.RetryAnnotations"/>); absent where there are none.
    /// </summary>
    public const string RetryPolicyApplied = "RetryPolicyApplied";

    /// <summary>Reason of <c>False</c>: an annotation has a value that is not allowed; the message says which are.</summary>
    public const string InvalidAnnotation = "InvalidAnnotation";
}
