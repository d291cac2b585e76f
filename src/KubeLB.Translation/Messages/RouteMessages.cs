using System.Globalization;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Messages;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Events;

namespace KubeLB.Translation.Messages;

/// <summary>
/// Conditions and Events of HTTPRoutes and GRPCRoutes, and of the Routes of the management cluster. Texts about backends are in
/// <see cref="BackendMessages"/>.
/// </summary>
internal static class RouteMessages
{
    private const string Routes = "HTTPRoute, GRPCRoute";

    /// <summary>The Gateway is rejected by the management cluster. The first part is Envoy Gateway's text.</summary>
    [ReportedMessage("NoReadyListeners", On = Routes, Condition = "Accepted=False", Event = "Warning")]
    public const string GatewayRejected =
        "There are no ready listeners for this parent ref: the Gateway is rejected. " + NoReadyListenersRemedy;

    /// <summary>No Gateway of KubeLB that the route names allows it. The generated route has no parents.</summary>
    [ReportedMessage(
        RouteConditions.NotAttached,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "The tenant corrects the route or its Gateway."
    )]
    public const string NotAttached =
        "The route attaches to no listener. The generated route has no parents; the tenant's route reports the reason.";

    /// <summary>All backends are valid. The text is Envoy Gateway's.</summary>
    [ReportedMessage("ResolvedRefs", On = Routes, Condition = "ResolvedRefs=True")]
    public const string RefsResolved = "Resolved all the Object references for the Route";

    /// <summary>The backends exist in the tenant's cluster, but not yet in the management cluster.</summary>
    [ReportedMessage("Pending", On = Routes, Condition = "ResolvedRefs=Unknown")]
    public const string BackendsPending = "The backends of this route are being set up.";

    /// <summary>A reference that was invalid before is valid now.</summary>
    [ReportedMessage("ResolvedRefs", On = Routes, Event = "Normal")]
    public const string RefsRecovered = "All references are resolved.";

    /// <summary>The proxies accepted the backend that one of them had rejected.</summary>
    [ReportedMessage(StatusEvent.ProxyProgrammed, On = Routes, Event = "Normal")]
    [ReportedMessage(StatusEvent.ProxyProgrammed, On = "Route", Event = "Normal", Reader = MessageReader.Administrator)]
    public const string ProxiesAccepted = "All proxies accepted the configuration.";

    /// <summary>Envoy Gateway has not reported on the retry policy yet.</summary>
    [ReportedMessage("Pending", On = Routes, Condition = "kubelb.k8c.io/RetryPolicyApplied=Unknown")]
    public const string RetryPolicyPending = "Waiting for Envoy Gateway to accept the retry policy.";

    /// <summary>The annotation num-retries is 0.</summary>
    [ReportedMessage("Accepted", On = Routes, Condition = "kubelb.k8c.io/RetryPolicyApplied=True")]
    [ReportedMessage(RouteConditions.RetryPolicyApplied, On = Routes, Event = "Normal")]
    public const string RetriesDisabled = "Retries are disabled.";

    /// <summary>A Route has no source object.</summary>
    [ReportedMessage(
        RouteConditions.Rejected,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "Delete the Route; the CCM recreates it."
    )]
    public const string SourceMissing = "spec.source.kubernetes.resource must be an object with apiVersion, kind and metadata.name.";

    /// <summary>Envoy Gateway accepted the generated route and resolved its references.</summary>
    [ReportedMessage("Programmed", On = "Route", Condition = "Programmed=True", Reader = MessageReader.Administrator)]
    public const string EnvoyGatewayAccepted = "Envoy Gateway accepted the generated object with all its references.";

    /// <summary>Envoy Gateway accepted a generated object that it had rejected before.</summary>
    [ReportedMessage("Accepted", On = "Route", Event = "Normal", Reader = MessageReader.Administrator)]
    public const string EnvoyGatewayRecovered = "Envoy Gateway accepted the generated object.";

    /// <summary>Part of <see cref="ListenerAllows"/>: <c>from</c> is None.</summary>
    public const string NoNamespace = "no namespace";

    private const string NoMatchingParentRemedy = "Set sectionName and port of the parentRef to those of a listener, or remove them.";

    private const string NoReadyListenersRemedy = "Correct the Gateway; see its conditions and those of its listeners.";

    private const string NotAllowedByListenersRemedy =
        "Allow the route's namespace and kind in allowedRoutes of a listener, or attach to another Gateway.";

    private const string NoMatchingListenerHostnameRemedy = "Give the route a hostname that a listener of the Gateway serves.";

    private const string RouteRulesOverlapRemedy =
        "The oldest route gets the requests, then the first by name. Use another hostname or match, or delete the other route.";

    private const int MaxNames = 3;
    private const int MaxNameLength = 100;

    /// <summary>The parentRef names a listener or port that the Gateway does not have. The first part is Envoy Gateway's text.</summary>
    [ReportedMessage(GatewayConditions.NoMatchingParent, On = Routes, Condition = "Accepted=False", Event = "Warning")]
    public static string NoMatchingParent(string wanted, IEnumerable<string> listeners, int count) =>
        $"No listeners match this parent ref ({wanted}); the Gateway has "
        + $"{(count == 0 ? "none" : MessageText.List(listeners, count, MaxNames))}. {NoMatchingParentRemedy}";

    /// <summary>Part of <see cref="NoMatchingParent"/>: sectionName and port of the parentRef.</summary>
    public static string ListenerOf(string? sectionName, int? port) =>
        (string.IsNullOrEmpty(sectionName), port) switch
        {
            (true, null) => "any listener",
            (true, { } number) => $"port {Text(number)}",
            (false, null) => $"sectionName {Name(sectionName!)}",
            (false, { } number) => $"sectionName {Name(sectionName!)}, port {Text(number)}",
        };

    /// <summary>Part of <see cref="NoMatchingParent"/>: a listener.</summary>
    public static string ListenerPort(string listener, int port) => $"{Name(listener)} (port {Text(port)})";

    /// <summary>No listener allows the route's kind or namespace.</summary>
    [ReportedMessage(GatewayConditions.NotAllowedByListeners, On = Routes, Condition = "Accepted=False", Event = "Warning")]
    public static string NotAllowedByListeners(string kind, string @namespace, IEnumerable<string> listeners, int count) =>
        $"No listener allows {kind}s of namespace {@namespace}: {MessageText.List(listeners, count, MaxNames)}. "
        + NotAllowedByListenersRemedy;

    /// <summary>Part of <see cref="NotAllowedByListeners"/>: what a listener allows.</summary>
    public static string ListenerAllows(string listener, string what) => $"{Name(listener)} allows {what}";

    /// <summary>Part of <see cref="ListenerAllows"/>: the route kinds.</summary>
    public static string OnlyKinds(IReadOnlyCollection<string> kinds) =>
        $"only {MessageText.List([.. kinds.Select(k => $"{Name(k)}s")], MaxNames)}";

    /// <summary>Part of <see cref="ListenerAllows"/>: the listener's protocol is not supported.</summary>
    public static string NoRoutes(string protocol) => $"no routes (protocol {Name(protocol)})";

    /// <summary>Part of <see cref="ListenerAllows"/>: the namespace of the Gateway.</summary>
    public static string OnlyNamespace(string @namespace) => $"only namespace {@namespace}";

    /// <summary>Part of <see cref="ListenerAllows"/>: namespaces with labels.</summary>
    public static string OnlyLabels(string selector) => $"only namespaces with labels {Name(selector)}";

    /// <summary>No listener has a hostname in common with the route.</summary>
    [ReportedMessage(GatewayConditions.NoMatchingListenerHostname, On = Routes, Condition = "Accepted=False", Event = "Warning")]
    public static string NoHostnameIntersection(
        string routeKind,
        IEnumerable<string> hostnames,
        int hostnameCount,
        IEnumerable<string> listeners,
        int listenerCount
    ) =>
        $"No hostname of the {routeKind} ({MessageText.List(hostnames, hostnameCount, MaxNames)}) matches a listener: "
        + $"{MessageText.List(listeners, listenerCount, MaxNames)}. {NoMatchingListenerHostnameRemedy}";

    /// <summary>Part of <see cref="NoHostnameIntersection"/>: the hostname of a listener.</summary>
    public static string ListenerHostname(string listener, string hostname) => $"{Name(listener)} has {Name(hostname)}";

    /// <summary>A name that a message lists, escaped and truncated.</summary>
    public static string Name(string name) => MessageText.Quote(name, MaxNameLength);

    /// <summary>The route attaches to more listeners than the generated routes can have parentRefs.</summary>
    [ReportedMessage(
        "UnsupportedValue",
        On = Routes,
        Condition = "Accepted=False",
        Event = "Warning",
        Remedy = "Use fewer parentRefs, or a Gateway whose listeners all allow the route."
    )]
    public static string TooManyListeners(int count, int limit) =>
        $"The route attaches to {count} listeners by name; at most {limit} are supported. "
        + "Use fewer parentRefs, or a Gateway whose listeners all allow the route.";

    /// <summary>The CCM does not sync Gateways.</summary>
    [ReportedMessage(
        GatewayConditions.GatewayControllerDisabled,
        On = Routes,
        Condition = "Accepted=False",
        Event = "Warning",
        Remedy = "Remove the flag, or attach to another Gateway."
    )]
    public static string GatewayControllerDisabled(string gateway) =>
        $"Gateway {gateway} is not synced: the CCM runs with --disable-gateway-controller. "
        + "Remove the flag, or attach the route to a Gateway of another controller.";

    /// <summary>Part of <see cref="ParentNotFound"/>: no similar Gateway exists.</summary>
    public const string CreateGateway = "Create it, or correct the parentRef.";

    /// <summary>Part of <see cref="ParentNotFound"/>: a Gateway of another namespace has the name.</summary>
    public static string SetParentNamespace(string @namespace) =>
        $"One of this name exists in namespace {@namespace}: set namespace of the parentRef.";

    /// <summary>Part of <see cref="ParentNotFound"/>: a Gateway has a similar name.</summary>
    public static string DidYouMeanGateway(string name) => $"Did you mean {name}?";

    /// <summary>A parentRef refers to a Gateway that does not exist.</summary>
    [ReportedMessage(RouteAttachment.ParentNotFound, On = Routes, Event = "Warning")]
    public static string ParentNotFound(string gateway, string remedy) => $"Gateway {gateway} does not exist. {remedy}";

    /// <summary>The route was attached.</summary>
    [ReportedMessage("Accepted", On = Routes, Event = "Normal")]
    public static string Attached(string gateway) => $"Attached to Gateway {gateway}.";

    /// <summary>The route no longer has a parentRef to the Gateway, or the Gateway is no longer KubeLB's.</summary>
    [ReportedMessage(StatusEvent.Released, On = Routes, Event = "Normal")]
    public static string Detached(string gateway) => $"Detached from Gateway {gateway}.";

    /// <summary>An Envoy proxy rejected the cluster, listener or endpoints of a new backend.</summary>
    [ReportedMessage(
        RouteConditions.ProxyRejected,
        On = Routes,
        Condition = "kubelb.k8c.io/ProxyProgrammed=False",
        Event = "Warning",
        Remedy = "Correct the backend that the error names."
    )]
    public static string ProxyRejected(string resourceType, string error) =>
        $"Envoy rejected the {resourceType} of a new backend; the route keeps its last accepted configuration: {error}";

    /// <summary>An Envoy proxy rejected the cluster, listener or endpoints of a new backend.</summary>
    [ReportedMessage(
        RouteConditions.ProxyRejected,
        On = "Route",
        Condition = "Programmed=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public static string ProxyRejectedBy(string proxy, string resourceType, string error) =>
        $"Envoy {proxy} rejected the {resourceType} of a new backend; the route keeps its last accepted configuration: {error}";

    /// <summary>The proxies have not confirmed the new backends of a Route yet.</summary>
    [ReportedMessage("Pending", On = "Route", Condition = "Accepted=Unknown", Reader = MessageReader.Administrator)]
    public static string WaitingForProxies(string kind, string name) =>
        $"{kind} {name} is not updated until the tenant's proxies accept its new backends.";

    /// <summary>Envoy Gateway has not reported on the current generation of the generated object.</summary>
    [ReportedMessage("Pending", On = "Route", Condition = "Accepted=Unknown", Reader = MessageReader.Administrator)]
    public static string WaitingForEnvoyGateway(string kind, string name) =>
        $"Envoy Gateway has not reported on the current generation of {kind} {name}.";

    /// <summary>The generated objects could be written after an earlier failure.</summary>
    [ReportedMessage(GeneratedObjectEvents.Applied, On = "Route", Event = "Normal", Reader = MessageReader.Administrator)]
    public static string Recovered(string kind, string name) => $"Recovered: {kind} {name} is up to date.";

    /// <summary>Another object has the name that the generated object would have.</summary>
    [ReportedMessage(GeneratedObjectEvents.NameTaken, On = "Route", Event = "Normal", Reader = MessageReader.Administrator)]
    public static string NameTaken(string name, string kind, string source, string generatedName) =>
        $"Name {name} is already in use; {kind} {source} of the tenant is generated as {generatedName}.";

    /// <summary>A Route is in a namespace that no tenant owns.</summary>
    [ReportedMessage(
        RouteConditions.Rejected,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "Delete the Route."
    )]
    public static string NamespaceNotAllowed(string @namespace) =>
        $"Routes are only allowed in a tenant namespace (tenant-<name>); {@namespace} is not one.";

    /// <summary>A field of a Route's spec has the wrong type or form.</summary>
    [ReportedMessage("UnsupportedValue", On = Routes, Condition = "Accepted=False", Event = "Warning")]
    [ReportedMessage(
        RouteConditions.Rejected,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "Delete the Route; the CCM recreates it from the tenant's object."
    )]
    public static string InvalidSpec(string part, string error) => $"Invalid {part}: {error}. Correct it.";

    /// <summary>An object that exceeded a limit of sizes is within the limits again.</summary>
    [ReportedMessage(RouteConditions.LimitExceeded, On = "Gateway, HTTPRoute, GRPCRoute", Condition = "Accepted=False", Event = "Warning")]
    [ReportedMessage(
        RouteConditions.LimitExceeded,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public static string ReadingAgain(string version) => $"The object is within the limits again and is being read (version {version}).";

    /// <summary>The source object is of a kind that is not supported.</summary>
    [ReportedMessage(
        RouteConditions.Rejected,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public static string UnsupportedSource(string kind, string apiVersion, IEnumerable<string> supportedKinds) =>
        $"{kind} of {apiVersion} is not supported; supported are {string.Join(", ", supportedKinds)} of {GatewayApiVersion.ApiVersion}.";

    /// <summary>The source object's namespace is not a valid name.</summary>
    [ReportedMessage(
        RouteConditions.Rejected,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public static string InvalidSourceNamespace(string kind, string @namespace) =>
        $"metadata.namespace \"{@namespace}\" of the {kind} is not a DNS-1123 label.";

    /// <summary>The source object's name is not a valid name.</summary>
    [ReportedMessage(
        RouteConditions.Rejected,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public static string InvalidSourceName(string kind, string name) =>
        $"metadata.name \"{name}\" of the {kind} is not a DNS-1123 subdomain.";

    /// <summary>The administrator denies retry annotations of the route.</summary>
    [ReportedMessage(
        RouteConditions.InvalidAnnotation,
        On = Routes,
        Condition = "kubelb.k8c.io/RetryPolicyApplied=False",
        Event = "Warning",
        Remedy = "Remove the annotations, or ask the administrator to allow them."
    )]
    public static string RetryAnnotationsDenied(IEnumerable<string> annotations) =>
        $"denied by the administrator of the management cluster (deniedAnnotations): {string.Join(", ", annotations)}. "
        + "Remove these annotations, or ask the administrator to allow them.";

    /// <summary>Retry annotations are invalid or denied; the problems follow.</summary>
    [ReportedMessage(
        RouteConditions.InvalidAnnotation,
        On = Routes,
        Condition = "kubelb.k8c.io/RetryPolicyApplied=False",
        Event = "Warning",
        Remedy = "Correct the annotations."
    )]
    public static string RetryPolicyNotApplied(string problems) => $"Retry policy not applied: {problems}";

    /// <summary>The annotation retry-on has an unknown entry.</summary>
    [ReportedMessage(
        RouteConditions.InvalidAnnotation,
        On = Routes,
        Condition = "kubelb.k8c.io/RetryPolicyApplied=False",
        Event = "Warning"
    )]
    public static string InvalidRetryOn(string entry) =>
        $"{RetryAnnotations.RetryOn}: invalid entry \"{entry}\"; use Envoy Gateway's triggers such as 5xx, reset, connect-failure or "
        + "unavailable, and status codes 100-599, separated by commas.";

    /// <summary>The annotation num-retries is not a number.</summary>
    [ReportedMessage(
        RouteConditions.InvalidAnnotation,
        On = Routes,
        Condition = "kubelb.k8c.io/RetryPolicyApplied=False",
        Event = "Warning"
    )]
    public static string InvalidNumRetries(string value, int maximum) =>
        $"{RetryAnnotations.NumRetries}: invalid value \"{value}\"; must be a whole number, 0-{Text(maximum)}.";

    /// <summary>The annotation num-retries exceeds the maximum of the administrator's settings.</summary>
    [ReportedMessage(
        RouteConditions.InvalidAnnotation,
        On = Routes,
        Condition = "kubelb.k8c.io/RetryPolicyApplied=False",
        Event = "Warning"
    )]
    public static string TooManyRetries(string value, int maximum) =>
        $"{RetryAnnotations.NumRetries}: {value} exceeds the maximum of {Text(maximum)}. "
        + "Set a lower value, or ask the administrator of the management cluster to raise gatewayAPI.maxRetries.";

    /// <summary>A retry annotation is not a duration.</summary>
    [ReportedMessage(
        RouteConditions.InvalidAnnotation,
        On = Routes,
        Condition = "kubelb.k8c.io/RetryPolicyApplied=False",
        Event = "Warning"
    )]
    public static string InvalidRetryDuration(string annotation, string value) =>
        $"{annotation}: invalid Gateway API duration \"{value}\"; use up to four whole numbers of at most five digits with the units "
        + "h, m, s and ms, such as 500ms or 1m30s.";

    /// <summary>The base interval is zero.</summary>
    [ReportedMessage(
        RouteConditions.InvalidAnnotation,
        On = Routes,
        Condition = "kubelb.k8c.io/RetryPolicyApplied=False",
        Event = "Warning"
    )]
    public static string BaseIntervalZero(string value) =>
        $"{RetryAnnotations.BackOffBaseInterval}: invalid value \"{value}\"; must be greater than zero.";

    /// <summary>There is a maximum interval without a base interval.</summary>
    [ReportedMessage(
        RouteConditions.InvalidAnnotation,
        On = Routes,
        Condition = "kubelb.k8c.io/RetryPolicyApplied=False",
        Event = "Warning"
    )]
    public static string MaxIntervalWithoutBase(string value) =>
        $"{RetryAnnotations.BackOffMaxInterval}: \"{value}\" requires {RetryAnnotations.BackOffBaseInterval}; add that annotation.";

    /// <summary>The maximum interval is less than the base interval.</summary>
    [ReportedMessage(
        RouteConditions.InvalidAnnotation,
        On = Routes,
        Condition = "kubelb.k8c.io/RetryPolicyApplied=False",
        Event = "Warning"
    )]
    public static string MaxIntervalTooShort(string maxInterval, string baseInterval) =>
        $"{RetryAnnotations.BackOffMaxInterval}: \"{maxInterval}\" is less than {RetryAnnotations.BackOffBaseInterval} "
        + $"(\"{baseInterval}\"); must be at least as long.";

    /// <summary>Envoy Gateway rejected the retry policy.</summary>
    [ReportedMessage("Invalid", On = Routes, Condition = "kubelb.k8c.io/RetryPolicyApplied=False", Event = "Warning")]
    public static string RetryPolicyRejected(string error) => $"Envoy Gateway rejected the retry policy: {error}";

    /// <summary>Envoy Gateway accepted the retry policy that the annotations ask for.</summary>
    [ReportedMessage("Accepted", On = Routes, Condition = "kubelb.k8c.io/RetryPolicyApplied=True")]
    [ReportedMessage("RetryPolicyApplied", On = Routes, Event = "Normal")]
    public static string RetryPolicyApplied(string policy) => $"Applied: {policy}.";

    /// <summary>A retry policy in words, for <see cref="RetryPolicyApplied"/>.</summary>
    public static string Describe(RetryPolicy retry)
    {
        var text = retry.NumRetries is { } number ? $"up to {Text(number)} retries" : "up to 2 retries (default)";
        text += retry.RetryOn?.Triggers is { } triggers
            ? $" on {string.Join(", ", triggers)}"
            : " on connect-failure, refused-stream, unavailable, cancelled and status 503 (default)";
        text += retry.RetryOn?.HttpStatusCodes is { } codes ? $" ({string.Join(", ", codes)})" : "";
        text += retry.PerRetry?.Timeout is { } timeout ? $", timeout per attempt {timeout}" : "";
        text += retry.PerRetry?.BackOff?.BaseInterval is { } first ? $", interval from {first}" : "";
        return text + (retry.PerRetry?.BackOff?.MaxInterval is { } longest ? $" to {longest}" : "");
    }

    /// <summary>A message of Envoy Gateway names an object that the tenant cannot see.</summary>
    [ReportedMessage(GatewayConditions.Invalid, On = "Gateway, HTTPRoute, GRPCRoute", Condition = "Accepted=False", Event = "Warning")]
    public static string ReportedOnly(string reason) =>
        $"Envoy Gateway reports {reason} for an object of the management cluster. Ask its administrator for the details.";

    /// <summary>The gateway of the management cluster does not have a type of filter.</summary>
    [ReportedMessage(GatewayConditions.UnsupportedValue, On = Routes, Condition = "Accepted=False", Event = "Warning")]
    public static string UnsupportedFilter(string type) =>
        $"The gateway of the management cluster does not support filters of type {type}. Remove them from the rules.";

    /// <summary>What to do about a regular expression that Envoy Gateway rejects.</summary>
    public const string InvalidRegexRemedy = "Correct the regular expression; Envoy uses the syntax of RE2.";

    /// <summary>What to do about a filter that sets the Host header, for which Envoy Gateway has several messages.</summary>
    public const string HostHeaderRemedy = "Header filters cannot set Host; use a URLRewrite filter with hostname.";

    /// <summary>A condition no longer reports a problem; its last message follows.</summary>
    [ReportedMessage(RouteConditions.UnsupportedField, On = "Gateway, HTTPRoute, GRPCRoute", Event = "Normal")]
    [ReportedMessage(RouteConditions.EarlierDefaults, On = "Gateway, HTTPRoute, GRPCRoute", Event = "Normal")]
    public static string Resolved(string message) => $"Resolved: {message}";

    /// <summary>The message with the remedy of its reason, unless it has that.</summary>
    public static string WithRemedy(string reason, string message) =>
        RemedyFor(reason) is { } remedy && !message.Contains(remedy, StringComparison.Ordinal)
            ? $"{message.TrimEnd('.')}. {remedy}"
            : message;

    /// <summary>The remedy that an Event adds to a condition whose message is Envoy Gateway's; null if the message has it.</summary>
    public static string? RemedyFor(string reason) =>
        reason switch
        {
            GatewayConditions.NoMatchingParent => NoMatchingParentRemedy,
            GatewayConditions.NotAllowedByListeners => NotAllowedByListenersRemedy,
            GatewayConditions.NoMatchingListenerHostname => NoMatchingListenerHostnameRemedy,
            GatewayConditions.NoReadyListeners => NoReadyListenersRemedy,
            GatewayConditions.RouteRulesOverlap => RouteRulesOverlapRemedy,
            GatewayConditions.BackendNotFound => BackendMessages.ServiceNotFoundRemedy,
            GatewayConditions.PortNotFound or GatewayConditions.PortNotSpecified => BackendMessages.PortRemedy,
            _ => null,
        };

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
