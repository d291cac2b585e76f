using System.Globalization;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Messages;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Events;

namespace KubeLB.Translation.Messages;

/// <summary>Conditions and Events of Gateways, their listeners, and GatewayClasses.</summary>
internal static class GatewayMessages
{
    /// <summary>KubeLB accepted the GatewayClass or the Gateway.</summary>
    [ReportedMessage("Accepted", On = "GatewayClass", Condition = "Accepted=True")]
    [ReportedMessage("Accepted", On = "Gateway", Event = "Normal")]
    public const string Accepted = "Accepted by KubeLB.";

    /// <summary>The Gateway changed to a class of another controller.</summary>
    [ReportedMessage(StatusEvent.Released, On = "Gateway", Event = "Normal")]
    public const string Released = "No longer served by KubeLB.";

    /// <summary>KubeLB released the Gateway, and no other controller has reported yet. The text is the default of Gateway API.</summary>
    [ReportedMessage("Pending", On = "Gateway", Condition = "Accepted=Unknown")]
    public const string WaitingForController = "Waiting for controller";

    /// <summary>The management cluster has not reported on the current generation.</summary>
    [ReportedMessage("Pending", On = "Gateway, HTTPRoute, GRPCRoute", Condition = "Accepted=Unknown")]
    public const string WaitingForReport = "Waiting for the management cluster to report.";

    /// <summary>Envoy Gateway has not observed the generated object for longer than usual.</summary>
    [ReportedMessage("Pending", On = "Gateway, HTTPRoute, GRPCRoute", Condition = "Accepted=Unknown")]
    public const string NotProcessed = "The gateway of the management cluster has not processed this change yet.";

    /// <summary>Start of <see cref="NoListenerIsValid"/>, by which InvalidListeners.IsStatusOf recognizes the status.</summary>
    public const string NoListenerValid = "No listener of this Gateway is valid.";

    /// <summary>A listener of protocol TLS: its route kinds are not supported.</summary>
    [ReportedMessage(
        "InvalidRouteKinds",
        On = "Gateway",
        Condition = "ResolvedRefs=False",
        Event = "Warning",
        Remedy = "Use a listener of protocol HTTPS."
    )]
    public const string TlsRoutesUnsupported =
        "TLSRoute and TCPRoute are not supported. Use a listener of protocol HTTPS, which terminates TLS, with HTTPRoutes or GRPCRoutes.";

    /// <summary>A listener selects namespaces without a selector. The text is Envoy Gateway's.</summary>
    [ReportedMessage("Invalid", On = "Gateway", Condition = "Programmed=False", Remedy = "Set the selector.")]
    public const string NamespaceSelectorMissing =
        "The allowedRoutes.namespaces.selector field must be specified when allowedRoutes.namespaces.from is set to \"Selector\".";

    /// <summary>Another condition of the listener is False. The text is Envoy Gateway's.</summary>
    [ReportedMessage("Invalid", On = "Gateway", Condition = "Programmed=False", Remedy = "Correct what the other conditions report.")]
    public const string ListenerInvalid = "Listener is invalid, see other Conditions for details.";

    /// <summary>All references of an invalid listener are valid. The text is Envoy Gateway's.</summary>
    [ReportedMessage("ResolvedRefs", On = "Gateway", Condition = "ResolvedRefs=True")]
    public const string ListenerRefsResolved = "Listener references have been resolved";

    /// <summary>No proxy of the tenant is available.</summary>
    [ReportedMessage("NoProxyAvailable", On = "Gateway", Condition = "Programmed=False", Event = "Warning")]
    public const string NoProxyAvailable =
        "No Envoy proxy for this Gateway is available in the management cluster; requests return 503. "
        + "The cluster administrator has been notified; no action is required.";

    /// <summary>The management cluster has no GatewayClass of the configured name.</summary>
    [ReportedMessage(GatewayClassConditions.GatewayClassNotFound, On = "Gateway", Condition = "Programmed=False", Event = "Warning")]
    public const string ManagementClassNotFound =
        "The management cluster has no gateway of the configured class; requests are not served. "
        + "The cluster administrator has been notified; no action is required.";

    /// <summary>The controller of the configured GatewayClass in the management cluster rejects the class.</summary>
    [ReportedMessage(GatewayClassConditions.GatewayClassNotAccepted, On = "Gateway", Condition = "Programmed=False", Event = "Warning")]
    public const string ManagementClassNotAccepted =
        "The management cluster does not accept the configured gateway class; requests are not served. "
        + "The cluster administrator has been notified; no action is required.";

    /// <summary>No node of the tenant's cluster qualifies.</summary>
    [ReportedMessage(AddressesConditions.NoAddresses, On = "Gateway", Condition = "Programmed=False", Event = "Warning")]
    public static string NoNodeAddresses(string addressType) =>
        $"No node of this cluster has a usable {addressType}; requests return 503. Set --node-address-type of the CCM to a type that "
        + "the nodes have, or check their labels.";

    /// <summary>The management cluster rejects the addresses of all nodes.</summary>
    [ReportedMessage(
        AddressesConditions.NoAddresses,
        On = "Gateway",
        Condition = "Programmed=False",
        Event = "Warning",
        Remedy = "Ask the administrator of the management cluster to allow the addresses."
    )]
    public static string NodeAddressesRejected(string problems) =>
        $"The management cluster rejects the addresses of all nodes; requests return 503. {problems}";

    /// <summary>The class of a Gateway that KubeLB serves was deleted.</summary>
    [ReportedMessage(GatewayOwnership.ClassNotFound, On = "Gateway", Event = "Warning", Remedy = "Create the GatewayClass.")]
    public static string ClassNotFound(string className) =>
        $"GatewayClass {className} does not exist; the Gateway is still served. "
        + $"Create the class with controllerName {GatewayClass.KubelbController}.";

    /// <summary>The class of a Gateway does not exist, and is probably misspelt.</summary>
    [ReportedMessage(GatewayOwnership.ClassUnknown, On = "Gateway", Event = "Warning")]
    public static string ClassUnknown(string className, string meant) =>
        $"GatewayClass {className} does not exist, so no controller serves this Gateway. Did you mean {meant}?";

    /// <summary>Another controller accepted the class of a Gateway that KubeLB serves.</summary>
    [ReportedMessage(GatewayOwnership.ClassConflict, On = "Gateway", Event = "Warning", Remedy = "Use a class of KubeLB.")]
    public static string ClassConflict(string className, string controllerName, DateTimeOffset releasedAt) =>
        $"Controller {controllerName} accepted GatewayClass {className}; KubeLB releases this Gateway at {StatusTime.Of(releasedAt)}. "
        + $"To keep it, use a class of controller {GatewayClass.KubelbController}.";

    /// <summary>Several listeners have one port and hostname.</summary>
    [ReportedMessage("HostnameConflict", On = "Gateway", Condition = "Conflicted=True", Event = "Warning")]
    public static string HostnameConflict(IEnumerable<string> listeners, int port, string hostname) =>
        $"Listeners {string.Join(", ", listeners)} use port {port.ToString(CultureInfo.InvariantCulture)} "
        + (hostname.Length == 0 ? "without a hostname" : $"with hostname {hostname}")
        + ", so none of them is served. Give each its own hostname or port.";

    /// <summary>Listeners of different protocols have one port.</summary>
    [ReportedMessage("ProtocolConflict", On = "Gateway", Condition = "Conflicted=True", Event = "Warning")]
    public static string ProtocolConflict(IEnumerable<string> listeners, int port) =>
        $"Listeners {string.Join(", ", listeners)} use port {port.ToString(CultureInfo.InvariantCulture)} with different protocols, "
        + "so none of them is served. Give each protocol its own port.";

    /// <summary>A condition of a listener recovered.</summary>
    [ReportedMessage("ResolvedRefs", On = "Gateway", Event = "Normal")]
    [ReportedMessage(GatewayConditions.Conflicted, On = "Gateway", Event = "Normal")]
    public static string ListenerRecovered(string listener) => $"Listener {listener} is valid.";

    /// <summary>A listener has a protocol that is not supported. The text is Envoy Gateway's.</summary>
    [ReportedMessage(
        "UnsupportedProtocol",
        On = "Gateway",
        Condition = "Accepted=False",
        Event = "Warning",
        Remedy = "Use protocol HTTP or HTTPS."
    )]
    public static string UnsupportedProtocol(string protocol) => $"Protocol {protocol} is unsupported, must be HTTP or HTTPS.";

    /// <summary>No listener is programmed; the problem of the first one follows.</summary>
    [ReportedMessage("Invalid", On = "Gateway", Condition = "Programmed=False", Event = "Warning", Remedy = "Correct the listeners.")]
    public static string NoListenerProgrammed(string problem, bool hasOthers) =>
        $"No listener of this Gateway is served. {problem}{Others(hasOthers)}";

    /// <summary>None of the listeners is valid, so the Gateway is not synced; the problem of the first one follows.</summary>
    [ReportedMessage(
        "ListenersNotValid",
        On = "Gateway",
        Condition = "Accepted=False",
        Event = "Warning",
        Remedy = "Correct the listeners."
    )]
    public static string NoListenerIsValid(string problem, bool hasOthers) => $"{NoListenerValid} {problem}{Others(hasOthers)}";

    /// <summary>Some, but not all listeners are valid.</summary>
    [ReportedMessage("ListenersNotValid", On = "Gateway", Condition = "Accepted=True", Remedy = "Correct the listeners.")]
    public static string SomeListenersInvalid(IEnumerable<string> listeners) =>
        $"Some listeners are invalid: {string.Join(", ", listeners)}. See their conditions.";

    /// <summary>A condition of a listener became False; its message follows.</summary>
    [ReportedMessage("InvalidCertificateRef", On = "Gateway", Event = "Warning")]
    [ReportedMessage("UnsupportedProtocol", On = "Gateway", Event = "Warning")]
    public static string Listener(string listener, string message) => $"Listener {listener}: {message}";

    /// <summary>The Gateway was programmed, or its addresses changed.</summary>
    [ReportedMessage("Programmed", On = "Gateway", Event = "Normal")]
    public static string Reachable(IEnumerable<string> addresses) => $"Reachable at {string.Join(", ", addresses)}.";

    private static string Others(bool hasOthers) => hasOthers ? " See also the conditions of the other listeners." : "";
}
