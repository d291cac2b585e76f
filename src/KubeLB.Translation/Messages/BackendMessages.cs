using System.Globalization;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Messages;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Events;

namespace KubeLB.Translation.Messages;

/// <summary>Conditions about the backends of HTTPRoutes and GRPCRoutes, and about the Services of a Route.</summary>
internal static class BackendMessages
{
    /// <summary>What to do about a Service that does not exist.</summary>
    public const string ServiceNotFoundRemedy = "Create the Service, or correct name and namespace of the backendRef.";

    /// <summary>What to do about a port that is missing.</summary>
    public const string PortRemedy = "Set the port of the backendRef to a port of the Service.";

    private const int MaxErrorLength = 1024;
    private const int MaxSelectorLength = 48;
    private const int MaxPortLength = 63;
    private const int MaxPorts = 5;
    private const string NotReady = "kubelb.k8c.io/BackendsReady=False";

    private const string Routes = "HTTPRoute, GRPCRoute";

    /// <summary>An entry of a Route's services is not a Service with name and namespace.</summary>
    [ReportedMessage(
        RouteConditions.Rejected,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public const string InvalidSourceService =
        "Every entry of spec.source.kubernetes.services must be a Service with metadata.name and metadata.namespace.";

    /// <summary>The backends that had no ready endpoint have one.</summary>
    [ReportedMessage(StatusEvent.BackendsReady, On = Routes, Condition = "kubelb.k8c.io/BackendsReady=True", Event = "Normal")]
    public const string AllReady = "All backends have ready endpoints.";

    /// <summary>A backend is invalid; the problem follows. The prefix is Envoy Gateway's.</summary>
    [ReportedMessage("BackendNotFound", On = Routes, Condition = "ResolvedRefs=False", Event = "Warning")]
    [ReportedMessage("InvalidKind", On = Routes, Condition = "ResolvedRefs=False", Event = "Warning")]
    public static string InvalidBackend(string location, string problem) => $"Failed to process route {location}: {problem}";

    /// <summary>A backendRef refers to an object that is not a Service.</summary>
    [ReportedMessage("InvalidKind", On = Routes, Condition = "ResolvedRefs=False", Event = "Warning", Remedy = "Use a Service.")]
    public static string UnsupportedKind(string kind, string group) =>
        $"kind {kind} of group \"{group}\" is not supported. Use a Service of the core group.";

    /// <summary>No ReferenceGrant permits a reference into another namespace.</summary>
    [ReportedMessage(
        "RefNotPermitted",
        On = Routes,
        Condition = "ResolvedRefs=False",
        Event = "Warning",
        Remedy = "Create a ReferenceGrant."
    )]
    [ReportedMessage(
        "RefNotPermitted",
        On = "Gateway",
        Condition = "ResolvedRefs=False",
        Event = "Warning",
        Remedy = "Create a ReferenceGrant."
    )]
    public static string ReferenceNotPermitted(string toKind, string toNamespace, string toName, string fromKind, string fromNamespace) =>
        $"{toKind} {toNamespace}/{toName} is not permitted by any ReferenceGrant. Create one in namespace {toNamespace} "
        + $"from {fromKind} of namespace {fromNamespace} to {toKind} {toName}.";

    /// <summary>The Service of a backendRef does not exist. The first sentence is Envoy Gateway's.</summary>
    [ReportedMessage("BackendNotFound", On = Routes, Condition = "ResolvedRefs=False", Event = "Warning", Remedy = ServiceNotFoundRemedy)]
    public static string ServiceNotFound(string service) => $"service {service} not found. {ServiceNotFoundRemedy}";

    /// <summary>The namespace of a backendRef does not exist.</summary>
    [ReportedMessage("BackendNotFound", On = Routes, Condition = "ResolvedRefs=False", Event = "Warning")]
    public static string NamespaceNotFound(string service, string @namespace) =>
        $"service {service} not found: namespace {@namespace} does not exist. {ServiceNotFoundRemedy}";

    /// <summary>The Service of a backendRef has no node ports.</summary>
    [ReportedMessage("UnsupportedValue", On = Routes, Condition = "ResolvedRefs=False", Event = "Warning")]
    public static string UnsupportedServiceType(string service, string type) =>
        $"service {service} is of type {type}, which has no node ports. Use type ClusterIP with a selector of pods and their targetPort.";

    /// <summary>The Service of a backendRef does not have the port. The first sentence is Envoy Gateway's.</summary>
    [ReportedMessage("PortNotFound", On = Routes, Condition = "ResolvedRefs=False", Event = "Warning")]
    public static string PortNotFound(string service, int port, IEnumerable<string> ports, int count) =>
        $"TCP Port {port} not found on Service {service} ({Ports(ports, count)}). {PortRemedy}";

    /// <summary>A backendRef has no port.</summary>
    [ReportedMessage("PortNotSpecified", On = Routes, Condition = "ResolvedRefs=False", Event = "Warning")]
    public static string PortNotSpecified(string service, IEnumerable<string> ports, int count) =>
        $"the backendRef to Service {service} ({Ports(ports, count)}) has no port. {PortRemedy}";

    /// <summary>A port of a Service, for the list in <see cref="PortNotFound"/>.</summary>
    public static string Port(int port, string? protocol) =>
        protocol is null or "TCP"
            ? port.ToString(CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{port}/{MessageText.Quote(protocol, MaxPortLength)}");

    /// <summary>The API server of the tenant's cluster rejected the node-port Service of a backend; its error follows.</summary>
    [ReportedMessage(
        "NodePortServiceRejected",
        On = Routes,
        Condition = "ResolvedRefs=False",
        Event = "Warning",
        Remedy = "Correct the Service as the error says, or make it a NodePort Service."
    )]
    public static string NodePortServiceRejected(string service, string error) =>
        $"the node-port Service of service {service} cannot be written; correct the Service, or use type NodePort: "
        + MessageText.Quote(error, MaxErrorLength);

    /// <summary>The management cluster did not store the generated Service of a backend; its reason follows.</summary>
    [ReportedMessage(RouteConditions.QuotaExceeded, On = Routes, Condition = "ResolvedRefs=False", Event = "Warning")]
    [ReportedMessage(RouteConditions.AdmissionDenied, On = Routes, Condition = "ResolvedRefs=False", Event = "Warning")]
    [ReportedMessage(GatewayConditions.ManagementClusterRejected, On = Routes, Condition = "ResolvedRefs=False", Event = "Warning")]
    public static string ServiceNotApplied(string service, string error) => $"Service {service} is not served: {error}";

    /// <summary>The port of a backendRef is not a TCP port.</summary>
    [ReportedMessage("UnsupportedProtocol", On = Routes, Condition = "ResolvedRefs=False", Event = "Warning", Remedy = "Use a TCP port.")]
    public static string UnsupportedPortProtocol(string service, int port, string protocol, string routeKind) =>
        $"port {port} of service {service} has protocol {protocol}. Backends of {routeKind}s need a TCP port.";

    /// <summary>The port of an HTTPRoute's backendRef has an appProtocol that needs TLS.</summary>
    [ReportedMessage(
        "UnsupportedProtocol",
        On = "HTTPRoute",
        Condition = "ResolvedRefs=False",
        Event = "Warning",
        Remedy = "Use a port without TLS."
    )]
    public static string UnsupportedHttpAppProtocol(string service, int port, string appProtocol) =>
        $"port {port} of service {service} has appProtocol {appProtocol}, which is not supported. "
        + "Use a port without TLS, of appProtocol http, kubernetes.io/h2c or kubernetes.io/ws.";

    /// <summary>The port of a GRPCRoute's backendRef has an appProtocol that needs TLS or is not gRPC.</summary>
    [ReportedMessage(
        "UnsupportedProtocol",
        On = "GRPCRoute",
        Condition = "ResolvedRefs=False",
        Event = "Warning",
        Remedy = "Use a port without TLS."
    )]
    public static string UnsupportedGrpcAppProtocol(string service, int port, string appProtocol) =>
        $"port {port} of service {service} has appProtocol {appProtocol}, which is not supported. "
        + "Use a port with gRPC without TLS, of appProtocol kubernetes.io/h2c.";

    /// <summary>No pod matches the selector of a backend's Service. Pods without an IP address have no endpoint either.</summary>
    [ReportedMessage(GatewayConditions.NoReadyEndpoints, On = Routes, Condition = NotReady, Event = "Warning")]
    public static string NoPod(string service, string selector) =>
        $"Service {service} has no ready endpoints; requests to it return 503. "
        + $"No running pod matches its selector {MessageText.Quote(selector, MaxSelectorLength)}: start pods or correct the selector.";

    /// <summary>Pods match the selector of a backend's Service, but none is ready.</summary>
    [ReportedMessage(GatewayConditions.NoReadyEndpoints, On = Routes, Condition = NotReady, Event = "Warning")]
    public static string NoReadyPod(string service) =>
        $"Service {service} has no ready endpoints; requests to it return 503. "
        + "Its pods exist, but none is ready: check their containers and readiness probes.";

    /// <summary>The targetPort of a backend's Service is a name, and no pod has a port of that name.</summary>
    [ReportedMessage(GatewayConditions.NoReadyEndpoints, On = Routes, Condition = NotReady, Event = "Warning")]
    public static string NoPodWithPort(string service, int port, string targetPort) =>
        $"Port {port} of Service {service} has no ready endpoints; requests to it return 503. "
        + $"No ready pod has the port {MessageText.Quote(targetPort, MaxPortLength)}: correct the targetPort.";

    /// <summary>A backend's Service has no selector, and no EndpointSlice exists.</summary>
    [ReportedMessage(GatewayConditions.NoReadyEndpoints, On = Routes, Condition = NotReady, Event = "Warning")]
    public static string NoEndpointSlice(string service) =>
        $"Service {service} has no ready endpoints; requests to it return 503. It has no selector: create an EndpointSlice or add one.";

    /// <summary>A backend's Service has no selector, and its EndpointSlices have no ready endpoint.</summary>
    [ReportedMessage(GatewayConditions.NoReadyEndpoints, On = Routes, Condition = NotReady, Event = "Warning")]
    public static string NoReadyEndpoint(string service) =>
        $"Service {service} has no ready endpoints; requests to it return 503. Its EndpointSlices have none: add a ready endpoint.";

    /// <summary>A backend's Service has no selector, and no EndpointSlice has a port of the Service port's name.</summary>
    [ReportedMessage(GatewayConditions.NoReadyEndpoints, On = Routes, Condition = NotReady, Event = "Warning")]
    public static string NoEndpointSliceWithPort(string service, string port) =>
        $"Service {service} has no ready endpoints; requests to it return 503. "
        + $"Its EndpointSlices have no port named \"{MessageText.Quote(port, MaxPortLength)}\": add it.";

    private static string Ports(IEnumerable<string> ports, int count) =>
        count == 0 ? "without ports" : $"ports: {MessageText.List(ports, count, MaxPorts)}";

    /// <summary>A port of a Route's Service is null.</summary>
    [ReportedMessage(
        RouteConditions.Rejected,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "Remove the port."
    )]
    public static string PortIsNull(string service) => $"Service {service}: a port is null; remove it.";

    /// <summary>A port of a Route's Service is out of range or has no node port.</summary>
    [ReportedMessage(
        RouteConditions.Rejected,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public static string InvalidPort(string service, int port, string nodePort) =>
        $"Service {service}: invalid port {port} with nodePort {nodePort}; both must be 1-65535.";

    /// <summary>A node port of a Route's Service is one of Envoy's own ports.</summary>
    [ReportedMessage(
        RouteConditions.Rejected,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "Use another node port."
    )]
    public static string ReservedNodePort(string service, int nodePort) =>
        $"Service {service}: nodePort {nodePort} is reserved for Envoy; use another node port.";

    /// <summary>A node port of a Route's Service is not one that the administrator's settings permit.</summary>
    [ReportedMessage(RouteConditions.Rejected, On = "Route", Condition = "Accepted=False", Event = "Warning")]
    public static string NodePortNotPermitted(string service, int nodePort, string permitted) =>
        $"Service {service}: nodePort {nodePort} is not permitted. Use one of {permitted}, "
        + "or ask the administrator of the management cluster to change addresses.nodePorts.";

    /// <summary>A port of a Route's Service is neither TCP nor UDP.</summary>
    [ReportedMessage(
        RouteConditions.Rejected,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator,
        Remedy = "Use TCP or UDP."
    )]
    public static string UnsupportedSourceProtocol(string service, string protocol) =>
        $"Service {service}: protocol {protocol} is not supported; use TCP or UDP.";
}
