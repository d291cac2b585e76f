using System.Globalization;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Attachment;

/// <summary>
/// Whether a Gateway is ours. Its class decides, but a class that changes under a Gateway that is served destroys nothing: one that is
/// deleted leaves it served, and one that another controller accepts releases it after <see cref="ReleaseTime"/>.
/// </summary>
/// <param name="IsOurs">Whether the Gateway is served.</param>
public sealed record GatewayOwnership(bool IsOurs)
{
    /// <summary>Reason of the warning that the class does not exist.</summary>
    public const string ClassNotFound = "GatewayClassNotFound";

    /// <summary>Reason of the warning that another controller accepted the class.</summary>
    public const string ClassConflict = "GatewayClassConflict";

    /// <summary>Reason of the warning that the Gateway was released because of <see cref="ClassConflict"/>.</summary>
    public const string Released = "GatewayReleased";

    /// <summary>How long a Gateway is served after another controller accepted its class.</summary>
    public static readonly TimeSpan ReleaseTime = TimeSpan.FromMinutes(10);

    /// <summary>Reason of a Warning Event: one of the constants; null if nothing is wrong with the class.</summary>
    public string? Reason { get; private init; }

    /// <summary>Message of that Event; null if nothing is wrong with the class.</summary>
    public string? Message { get; private init; }

    /// <summary>How long the Gateway is still ours; null if that does not end by itself.</summary>
    public TimeSpan? TimeLeft { get; private init; }

    /// <summary>Whether the class names our controller: then its status is ours to write.</summary>
    public static bool IsOursByController(GatewayClass gatewayClass) => gatewayClass.Spec?.ControllerName == GatewayClass.KubelbController;

    /// <summary>Whether the Gateway is ours.</summary>
    public static bool IsOf(Gateway gateway, ITenantView view, TenantSettings settings) => Of(gateway, view, settings).IsOurs;

    /// <summary>
    /// Ours are Gateways of a class that names our controller; of the class called <c>kubelb</c>, whatever controller it names, as long as
    /// no other has accepted or rejected it; and those that are served already, see above. If classes are not considered at all, all are.
    /// </summary>
    public static GatewayOwnership Of(Gateway gateway, ITenantView view, TenantSettings settings)
    {
        if (!settings.UseGatewayClass)
        {
            return new(true);
        }

        var name = gateway.Spec?.GatewayClassName ?? "";
        var isClaimed = name == GatewayClass.KubelbName || IsServed(gateway, name, view);
        if (view.GatewayClass(name) is not { } gatewayClass)
        {
            return new(isClaimed)
            {
                Reason = isClaimed ? ClassNotFound : null,
                Message = isClaimed
                    ? $"GatewayClass {name} does not exist; the Gateway is served all the same. Create the class with controllerName "
                        + $"{GatewayClass.KubelbController}."
                    : null,
            };
        }

        if (IsOursByController(gatewayClass))
        {
            return new(true);
        }

        return AcceptedAt(gatewayClass) is { } accepted ? Leaving(gateway, gatewayClass, accepted, view) : new(isClaimed);
    }

    private static GatewayOwnership Leaving(Gateway gateway, GatewayClass gatewayClass, DateTimeOffset accepted, ITenantView view)
    {
        var end = accepted + ReleaseTime;
        var left = end - view.Now;

        return left <= TimeSpan.Zero || !IsServed(gateway, gatewayClass.Name, view)
            ? new(false)
            : new(true)
            {
                // The other controller's clock may be ahead.
                TimeLeft = left < ReleaseTime ? left : ReleaseTime,
                Reason = ClassConflict,
                Message =
                    $"Controller {gatewayClass.Spec?.ControllerName} accepted GatewayClass {gatewayClass.Name}; KubeLB releases this "
                    + "Gateway at "
                    + $"{end.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}. To keep it, use a class of controller {GatewayClass.KubelbController}.",
            };
    }

    /// <summary>Whether two versions of a class decide the same about its Gateways.</summary>
    public static bool IsSame(GatewayClass left, GatewayClass right) =>
        left.Spec?.ControllerName == right.Spec?.ControllerName && (IsOursByController(left) || AcceptedAt(left) == AcceptedAt(right));

    // Whoever serves a class sets Accepted to True or False; the API server starts with Unknown.
    private static DateTimeOffset? AcceptedAt(GatewayClass gatewayClass) =>
        gatewayClass.Status?.Conditions?.FirstOrDefault(c => c.Type == GatewayConditions.Accepted && c.Status != ConditionStatus.Unknown)
            is { } condition
            ? DateTimeOffset.TryParse(
                condition.LastTransitionTime,
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                out var time
            )
                ? time
                : DateTimeOffset.MinValue
            : null;

    // A Gateway that its owner moved to another class is not.
    private static bool IsServed(Gateway gateway, string className, ITenantView view) =>
        view.GatewayRoute(gateway.Namespace, gateway.Name) is { Metadata.DeletionTimestamp: null } route
        && SourceObject.Read(route).Source?.Value is Gateway carried
        && carried.Spec?.GatewayClassName == className;
}
