using System.Globalization;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Messages;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Matching;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Attachment;

/// <summary>
/// Whether KubeLB serves a Gateway, according to its GatewayClass. A change of the class does not stop traffic immediately: KubeLB
/// continues to serve a Gateway whose class is deleted, and releases a Gateway <see cref="ReleaseDelay"/> after another controller accepted
/// its class.
/// </summary>
/// <param name="IsOwned">Whether the Gateway is served.</param>
public sealed record GatewayOwnership(bool IsOwned)
{
    private const int MaxQuoteLength = 100;

    /// <summary>Reason of the warning that the class does not exist.</summary>
    public const string ClassNotFound = "GatewayClassNotFound";

    /// <summary>Reason of the warning that another controller accepted the class.</summary>
    public const string ClassConflict = "GatewayClassConflict";

    /// <summary>Reason of the warning that the Gateway was released because of <see cref="ClassConflict"/>.</summary>
    public const string Released = "GatewayReleased";

    /// <summary>Reason of the warning that the class does not exist, and its name is similar to that of a class of KubeLB.</summary>
    public const string ClassUnknown = "GatewayClassUnknown";

    /// <summary>How long a Gateway is served after another controller accepted its class.</summary>
    public static readonly TimeSpan ReleaseDelay = TimeSpan.FromMinutes(10);

    /// <summary>Reason of a Warning Event, one of the constants; null if the class is valid.</summary>
    public string? Reason { get; private init; }

    /// <summary>Message of that Event; null if the class is valid.</summary>
    public string? Message { get; private init; }

    /// <summary>Time until the Gateway is released; null if no release is scheduled.</summary>
    public TimeSpan? TimeLeft { get; private init; }

    /// <summary>Whether the class names KubeLB's controller. KubeLB then writes the status of the class.</summary>
    public static bool HasKubelbController(GatewayClass gatewayClass) => gatewayClass.Spec?.ControllerName == GatewayClass.KubelbController;

    /// <summary>Whether KubeLB serves the Gateway.</summary>
    public static bool Owns(Gateway gateway, ITenantView view, TenantSettings settings) => Evaluate(gateway, view, settings).IsOwned;

    /// <summary>
    /// KubeLB serves Gateways of a class that names its controller; of the class <c>kubelb</c>, regardless of its controllerName, until
    /// another controller accepts or rejects it; and Gateways that it already serves (see the type). Without <c>--use-gateway-class</c> it
    /// serves all Gateways.
    /// </summary>
    public static GatewayOwnership Evaluate(Gateway gateway, ITenantView view, TenantSettings settings)
    {
        if (!settings.UseGatewayClass)
        {
            return new(true);
        }

        var name = gateway.Spec?.GatewayClassName ?? "";
        var isClaimed = name == GatewayClass.KubelbName || IsServed(gateway, name, view);
        if (view.GatewayClass(name) is not { } gatewayClass)
        {
            var meant = isClaimed ? null : Misspellings.Nearest(name, KubelbClasses(view));
            return new(isClaimed)
            {
                Reason =
                    isClaimed ? ClassNotFound
                    : meant is not null ? ClassUnknown
                    : null,
                Message =
                    isClaimed ? GatewayMessages.ClassNotFound(name)
                    : meant is not null ? GatewayMessages.ClassUnknown(MessageText.Quote(name, MaxQuoteLength), meant)
                    : null,
            };
        }

        if (HasKubelbController(gatewayClass))
        {
            return new(true);
        }

        return AcceptedAt(gatewayClass) is { } accepted ? UntilRelease(gateway, gatewayClass, accepted, view) : new(isClaimed);
    }

    /// <summary>Whether the ownership of the Gateways of a class is the same with both versions of the class.</summary>
    public static bool IsEquivalent(GatewayClass left, GatewayClass right) =>
        left.Spec?.ControllerName == right.Spec?.ControllerName && (HasKubelbController(left) || AcceptedAt(left) == AcceptedAt(right));

    private static IEnumerable<string> KubelbClasses(ITenantView view) =>
        view.GatewayClasses().Where(HasKubelbController).Select(c => c.Name).Append(GatewayClass.KubelbName).Distinct();

    private static GatewayOwnership UntilRelease(Gateway gateway, GatewayClass gatewayClass, DateTimeOffset accepted, ITenantView view)
    {
        var release = accepted + ReleaseDelay;
        var left = release - view.Now;
        return left <= TimeSpan.Zero || !IsServed(gateway, gatewayClass.Name, view)
            ? new(false)
            : new(true)
            {
                // The other controller's clock may be ahead.
                TimeLeft = left < ReleaseDelay ? left : ReleaseDelay,
                Reason = ClassConflict,
                Message = GatewayMessages.ClassConflict(gatewayClass.Name, gatewayClass.Spec?.ControllerName ?? "", release),
            };
    }

    // The controller of a class sets Accepted to True or False; the API server initializes it with Unknown.
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

    // A Gateway whose gatewayClassName was changed is no longer served.
    private static bool IsServed(Gateway gateway, string className, ITenantView view) =>
        view.GatewayRoute(gateway.Namespace, gateway.Name) is { Metadata.DeletionTimestamp: null } route
        && SourceObject.Read(route).Source?.Value is Gateway source
        && source.Spec?.GatewayClassName == className;
}
