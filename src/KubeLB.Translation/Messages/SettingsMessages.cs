using System.Globalization;
using KubeLB.Api.Messages;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Messages;

/// <summary>
/// The condition <c>SettingsValid</c> of Config and Tenant: each text names a field, its invalid value, the consequence, and a valid value.
/// </summary>
internal static class SettingsMessages
{
    private const string Both = "Config, Tenant";
    private const string Invalid = SettingsConditions.InvalidSettings;
    private const int MaxClassName = 40;
    private const int MaxRejection = 80;
    private const string SettingsValidFalse = "SettingsValid=False";

    /// <summary>A pattern is empty.</summary>
    [ReportedMessage(Invalid, On = Both, Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public const string EmptyPattern = "it is empty";

    /// <summary>A pattern ends with a backslash.</summary>
    [ReportedMessage(Invalid, On = Both, Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public const string TrailingBackslash = "it ends with \\";

    /// <summary>A range of a pattern is not closed, or is not a range.</summary>
    [ReportedMessage(Invalid, On = Both, Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public const string InvalidRange = "[ is not closed by ], or does not contain ranges such as a-z";

    /// <summary>A toleration has operator Exists and a value.</summary>
    [ReportedMessage(Invalid, On = "Config", Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public const string TolerationValueWithExists = "operator Exists does not allow a value";

    /// <summary>A toleration has no key, and its operator is not Exists.</summary>
    [ReportedMessage(Invalid, On = "Config", Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public const string TolerationWithoutKey = "key is required unless operator is Exists";

    /// <summary>A toleration has tolerationSeconds, and its effect is not NoExecute.</summary>
    [ReportedMessage(Invalid, On = "Config", Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public const string TolerationSecondsWithoutNoExecute = "tolerationSeconds requires effect NoExecute";

    /// <summary>A GatewayClass name is invalid.</summary>
    [ReportedMessage(Invalid, On = Both, Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string InvalidGatewayClass(string name) =>
        $"gatewayAPI.class: invalid name \"{name}\" ignored; use lower-case letters, digits, - and .";

    /// <summary>The management cluster has no GatewayClass of the configured name.</summary>
    [ReportedMessage(
        GatewayClassConditions.GatewayClassNotFound,
        On = Both,
        Condition = "GatewayClassReady=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public static string GatewayClassNotFound(string name) =>
        $"GatewayClass {MessageText.Quote(name, MaxClassName)} does not exist; its Gateways are not served. "
        + "Create it, for example by installing Envoy Gateway, or correct gatewayAPI.class of Config or Tenant.";

    /// <summary>The controller of the configured GatewayClass rejects it.</summary>
    [ReportedMessage(
        GatewayClassConditions.GatewayClassNotAccepted,
        On = Both,
        Condition = "GatewayClassReady=False",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "Correct the GatewayClass, or gatewayAPI.class of Config or Tenant."
    )]
    public static string GatewayClassNotAccepted(string name, string message) =>
        $"The controller of GatewayClass {MessageText.Quote(name, MaxClassName)} rejects it; its Gateways are not served: "
        + MessageText.Quote(message, MaxRejection);

    /// <summary>A controller has accepted the GatewayClass.</summary>
    [ReportedMessage(
        GatewayClassConditions.GatewayClassAccepted,
        On = "Config",
        Condition = "GatewayClassReady=True",
        Reader = MessageReader.Administrator
    )]
    public static string GatewayClassAccepted(string name) => $"GatewayClass {MessageText.Quote(name, MaxClassName)} is accepted.";

    /// <summary>No controller has accepted or rejected the GatewayClass.</summary>
    [ReportedMessage(
        GatewayClassConditions.GatewayClassPending,
        On = "Config",
        Condition = "GatewayClassReady=Unknown",
        Reader = MessageReader.Administrator
    )]
    public static string GatewayClassPending(string name) =>
        $"No controller has accepted GatewayClass {MessageText.Quote(name, MaxClassName)}. Check that Envoy Gateway runs and that the "
        + "class has its controllerName.";

    /// <summary>A limit is negative.</summary>
    [ReportedMessage(Invalid, On = Both, Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string InvalidLimit(string field, int limit) =>
        $"gatewayAPI.{field}.limit: invalid value {Text(limit)} ignored; must be 0 or more, or absent for no limit.";

    /// <summary>The maximum number of retries is negative.</summary>
    [ReportedMessage(Invalid, On = Both, Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string InvalidMaxRetries(int value, int @default) =>
        $"gatewayAPI.maxRetries: invalid value {Text(value)} ignored; must be 0 or more, or absent for {Text(@default)}.";

    /// <summary>The permitted node ports are invalid.</summary>
    [ReportedMessage(Invalid, On = Both, Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string InvalidNodePorts(string value) =>
        $"addresses.nodePorts: invalid value \"{value}\" ignored; use ports and ranges of 1-65535, such as 30000-32767,8443.";

    /// <summary>An allowed domain is invalid.</summary>
    [ReportedMessage(Invalid, On = Both, Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string InvalidDomain(string entry) =>
        $"allowedDomains: invalid entry \"{entry}\" allows no hostname; use a domain such as example.com, *.example.com or **.example.com.";

    /// <summary>A pattern for propagated annotations is invalid.</summary>
    [ReportedMessage(Invalid, On = Both, Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string InvalidPropagatedPattern(string pattern, string problem) =>
        $"propagatedAnnotations: invalid pattern \"{pattern}\" ignored: {problem}.";

    /// <summary>A pattern for propagated annotations is reserved.</summary>
    [ReportedMessage(Invalid, On = Both, Condition = SettingsValidFalse, Reader = MessageReader.Administrator, Remedy = "Remove it.")]
    public static string ReservedPropagatedPattern(string pattern) =>
        $"propagatedAnnotations: pattern \"{pattern}\" ignored: annotations of KubeLB and kubectl are never propagated. Remove it.";

    /// <summary>A pattern for propagated labels is invalid.</summary>
    [ReportedMessage(Invalid, On = Both, Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string InvalidLabelPattern(string pattern, string problem) =>
        $"propagatedLabels: invalid pattern \"{pattern}\" ignored: {problem}.";

    /// <summary>A limit of sizes is out of range.</summary>
    [ReportedMessage(Invalid, On = Both, Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string InvalidSizeLimit(string field, int value, int maximum) =>
        $"limits.{field}: invalid value {Text(value)} ignored; must be 0-{Text(maximum)}.";

    /// <summary>A pattern for denied annotations is invalid.</summary>
    [ReportedMessage(Invalid, On = Both, Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string InvalidDeniedPattern(string pattern, string prefix, string problem) =>
        $"deniedAnnotations: invalid pattern \"{pattern}\" denies all keys that start with \"{prefix}\": {problem}. "
        + "Escape special characters with \\.";

    /// <summary>Default annotations are set for an unknown kind.</summary>
    [ReportedMessage(Invalid, On = Both, Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string UnknownDefaultsKind(string kind, IEnumerable<string> kinds) =>
        $"defaultAnnotations: unknown kind \"{kind}\" ignored; must be one of {string.Join(", ", kinds)}.";

    /// <summary>A default annotation is reserved.</summary>
    [ReportedMessage(Invalid, On = Both, Condition = SettingsValidFalse, Reader = MessageReader.Administrator, Remedy = "Remove it.")]
    public static string ReservedDefault(string kind, string key) =>
        $"defaultAnnotations.{kind}: key \"{key}\" ignored: it is reserved for KubeLB or kubectl. Remove it.";

    /// <summary>The key of a default annotation is invalid.</summary>
    [ReportedMessage(Invalid, On = Both, Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string InvalidDefault(string kind, string key) =>
        $"defaultAnnotations.{kind}: invalid annotation key \"{key}\" ignored; use a key such as name or example.com/name.";

    /// <summary>The topology is one that the Go manager deprecated.</summary>
    [ReportedMessage(Invalid, On = "Config", Condition = SettingsValidFalse, Reader = MessageReader.Administrator, Remedy = "Use shared.")]
    public static string DeprecatedTopology(string topology) =>
        $"envoyProxy.topology: \"{topology}\" is deprecated and is treated as shared. Set shared.";

    /// <summary>The number of replicas is out of range.</summary>
    [ReportedMessage(Invalid, On = Both, Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string InvalidReplicas(int value, int maximum) =>
        $"envoyProxy.replicas: invalid value {Text(value)} ignored; must be 1-{Text(maximum)}.";

    /// <summary>Envoy's image is not an image reference.</summary>
    [ReportedMessage(Invalid, On = "Config", Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string InvalidImage(string image) =>
        $"envoyProxy.image: invalid image \"{image}\" ignored; use registry/name:tag or registry/name@sha256:digest.";

    /// <summary>Envoy's image has no shell, which graceful shutdown needs.</summary>
    [ReportedMessage(Invalid, On = "Config", Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string DistrolessImage(string image) =>
        $"envoyProxy.image: \"{image}\" has no bash, so connections are not drained. "
        + "Use an image that is not distroless, or set gracefulShutdown.disabled: true.";

    /// <summary>The grace period is less than a second.</summary>
    [ReportedMessage(Invalid, On = "Config", Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string InvalidGracePeriod(long seconds) =>
        $"envoyProxy.gracefulShutdown.terminationGracePeriodSeconds: invalid value {Text(seconds)} ignored; "
        + "must be at least 30, and more than drainTimeout.";

    /// <summary>The drain timeout is not shorter than the grace period.</summary>
    [ReportedMessage(Invalid, On = "Config", Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string DrainTimeoutTooLong(long seconds, long gracePeriodSeconds, long usedSeconds) =>
        $"envoyProxy.gracefulShutdown.drainTimeout: {Text(seconds)} s is not less than the grace period of {Text(gracePeriodSeconds)} s; "
        + $"{Text(usedSeconds)} s are used. Set a shorter drainTimeout or a longer grace period.";

    /// <summary>The minimum drain duration exceeds the drain timeout.</summary>
    [ReportedMessage(Invalid, On = "Config", Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string MinDrainTooLong(long seconds, long usedSeconds) =>
        $"envoyProxy.gracefulShutdown.minDrainDuration: {Text(seconds)} s exceeds drainTimeout; {Text(usedSeconds)} s are used. "
        + "Set a shorter minDrainDuration or a longer drainTimeout.";

    /// <summary>A duration is invalid.</summary>
    [ReportedMessage(Invalid, On = "Config", Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string InvalidDuration(string field, string value) =>
        $"envoyProxy.gracefulShutdown.{field}: invalid duration \"{value}\" ignored; use up to four whole numbers of at most five digits "
        + "with the units h, m, s and ms, such as 90s or 1m30s.";

    /// <summary>A limit of the overload manager is too small.</summary>
    [ReportedMessage(Invalid, On = "Config", Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string InvalidOverloadLimit(string field, long value, long minimum) =>
        $"envoyProxy.overloadManager.{field}: invalid value {Text(value)} ignored; "
        + $"must be {Text(minimum)} or more, or absent for no limit.";

    /// <summary>A header limit is too small.</summary>
    [ReportedMessage(Invalid, On = "Config", Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string InvalidHeaderCount(string field, int value) =>
        $"envoyProxy.headerLimits.{field}: invalid value {Text(value)} ignored; must be 1 or more.";

    /// <summary>A header limit is out of range.</summary>
    [ReportedMessage(Invalid, On = "Config", Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string InvalidHeaderSize(string field, int value, int maximum) =>
        $"envoyProxy.headerLimits.{field}: invalid value {Text(value)} ignored; must be 1-{Text(maximum)}.";

    /// <summary>A label of the node selector is invalid.</summary>
    [ReportedMessage(Invalid, On = "Config", Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string InvalidNodeLabel(string key, string value) =>
        $"envoyProxy.nodeSelector: invalid label {key}={value} ignored; use a label that kubectl get nodes --show-labels lists.";

    /// <summary>A toleration is invalid; the problem follows.</summary>
    [ReportedMessage(Invalid, On = "Config", Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string InvalidToleration(int index, string problem) =>
        $"envoyProxy.tolerations[{Text(index)}]: invalid toleration ignored: {problem}.";

    /// <summary>The operator of a toleration is unknown.</summary>
    [ReportedMessage(Invalid, On = "Config", Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string UnknownTolerationOperator(string value) => $"operator \"{value}\" must be Exists or Equal";

    /// <summary>The effect of a toleration is unknown.</summary>
    [ReportedMessage(Invalid, On = "Config", Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string UnknownTolerationEffect(string value) => $"effect \"{value}\" must be NoSchedule, PreferNoSchedule or NoExecute";

    /// <summary>A toleration or affinity has a field of the wrong type.</summary>
    [ReportedMessage(Invalid, On = "Config", Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string WrongType(string field, string path) =>
        $"envoyProxy.{field}: invalid value ignored: {path} has the wrong type. Write it as in the spec of a pod.";

    /// <summary>The resources are invalid; the problem follows.</summary>
    [ReportedMessage(Invalid, On = Both, Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string InvalidResources(string problem) => $"envoyProxy.resources: invalid value ignored: {problem}.";

    /// <summary>A resource is unknown.</summary>
    [ReportedMessage(Invalid, On = Both, Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string UnknownResource(string name) => $"unknown resource \"{name}\"; use cpu, memory or ephemeral-storage";

    /// <summary>A resource is negative.</summary>
    [ReportedMessage(Invalid, On = Both, Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string NegativeResource(string name) => $"{name} is less than 0";

    /// <summary>A request exceeds its limit.</summary>
    [ReportedMessage(Invalid, On = Both, Condition = SettingsValidFalse, Reader = MessageReader.Administrator)]
    public static string RequestExceedsLimit(string name, string request, string limit) =>
        $"requests.{name} {request} exceeds limits.{name} {limit}";

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
