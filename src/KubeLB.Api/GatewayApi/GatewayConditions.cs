namespace KubeLB.Api.GatewayApi;

/// <summary>Condition types and reasons of Gateway API, Envoy Gateway and KubeLB.</summary>
/// <remarks>https://gateway-api.sigs.k8s.io/reference/spec/#gatewayconditiontype and #routeconditiontype</remarks>
public static class GatewayConditions
{
    /// <summary>Type: the object is valid and accepted.</summary>
    public const string Accepted = "Accepted";

    /// <summary>Type: the data plane serves the object.</summary>
    public const string Programmed = "Programmed";

    /// <summary>Type: all references resolve.</summary>
    public const string ResolvedRefs = "ResolvedRefs";

    /// <summary>Type (of a route): some rules were dropped.</summary>
    public const string PartiallyInvalid = "PartiallyInvalid";

    /// <summary>Type (of a listener): it conflicts with another listener of the Gateway.</summary>
    public const string Conflicted = "Conflicted";

    /// <summary>Reason of <see cref="Conflicted"/>: another listener has the same port and hostname.</summary>
    public const string HostnameConflict = "HostnameConflict";

    /// <summary>Reason of <see cref="Conflicted"/>: another listener has the same port and another protocol.</summary>
    public const string ProtocolConflict = "ProtocolConflict";

    /// <summary>Type (of a route, Envoy Gateway's): True while rules of the route have the same matches as another route.</summary>
    public const string RouteRulesOverlap = "RouteRulesOverlap";

    /// <summary>Type (KubeLB's own): False while a backend has no ready endpoint; absent if none ever lacked one.</summary>
    public const string BackendsReady = $"{ApiGroups.Kubelb}/BackendsReady";

    /// <summary>Reason of <see cref="BackendsReady"/> (KubeLB's own): a backend has no ready endpoint; the message says why.</summary>
    public const string NoReadyEndpoints = "NoReadyEndpoints";

    /// <summary>Type (KubeLB's own): the retry policy of the annotations is applied; absent if there are no annotations.</summary>
    public const string RetryPolicyApplied = $"{ApiGroups.Kubelb}/RetryPolicyApplied";

    /// <summary>
    /// Type (KubeLB's own): False while the route is not updated because a proxy rejected a new backend; absent otherwise.
    /// </summary>
    public const string ProxyProgrammed = $"{ApiGroups.Kubelb}/ProxyProgrammed";

    /// <summary>Reason (KubeLB's own): the tenant is not registered in the management cluster.</summary>
    public const string TenantNotRegistered = "TenantNotRegistered";

    /// <summary>Reason (KubeLB's own): the management cluster rejected the object.</summary>
    public const string ManagementClusterRejected = "ManagementClusterRejected";

    /// <summary>Reason (KubeLB's own): the CCM does not sync Gateways.</summary>
    public const string GatewayControllerDisabled = "GatewayControllerDisabled";

    /// <summary>Reason: no controller has reconciled the object yet, or an operation is in progress.</summary>
    public const string Pending = "Pending";

    /// <summary>Reason of <see cref="Programmed"/>: the Gateway has no address, for example because no listener is served.</summary>
    public const string AddressNotAssigned = "AddressNotAssigned";

    /// <summary>Reason: the infrastructure for the object is not available.</summary>
    public const string NoResources = "NoResources";

    /// <summary>Reason: the object could not be configured.</summary>
    public const string Invalid = "Invalid";

    /// <summary>Reason: no listener of the parent matches the parentRef.</summary>
    public const string NoMatchingParent = "NoMatchingParent";

    /// <summary>Reason: no listener allows the route.</summary>
    public const string NotAllowedByListeners = "NotAllowedByListeners";

    /// <summary>Reason: no listener has a hostname in common with the route.</summary>
    public const string NoMatchingListenerHostname = "NoMatchingListenerHostname";

    /// <summary>Reason (Envoy Gateway's): no listener of the parent is ready.</summary>
    public const string NoReadyListeners = "NoReadyListeners";

    /// <summary>Reason: a backend does not exist.</summary>
    public const string BackendNotFound = "BackendNotFound";

    /// <summary>Reason (Envoy Gateway's): a backendRef names no port.</summary>
    public const string PortNotSpecified = "PortNotSpecified";

    /// <summary>Reason (Envoy Gateway's): a Service does not have the port.</summary>
    public const string PortNotFound = "PortNotFound";

    /// <summary>Reason: the API server of the tenant rejected the node-port Service of a backend.</summary>
    public const string NodePortServiceRejected = "NodePortServiceRejected";

    /// <summary>Reason: a backend's kind is not supported.</summary>
    public const string InvalidKind = "InvalidKind";

    /// <summary>Reason: a reference into another namespace is not permitted.</summary>
    public const string RefNotPermitted = "RefNotPermitted";

    /// <summary>Reason: listeners of a Gateway are invalid; it may be accepted with the others.</summary>
    public const string ListenersNotValid = "ListenersNotValid";

    /// <summary>Reason: a listener allows route kinds that are not supported.</summary>
    public const string InvalidRouteKinds = "InvalidRouteKinds";

    /// <summary>Reason: a listener's certificate does not exist or is invalid.</summary>
    public const string InvalidCertificateRef = "InvalidCertificateRef";

    /// <summary>Reason (Envoy Gateway's): some, but not all of a listener's certificates are invalid.</summary>
    public const string PartiallyInvalidCertificateRef = "PartiallyInvalidCertificateRef";

    /// <summary>Reason: the protocol of a listener or of a backend is not supported.</summary>
    public const string UnsupportedProtocol = "UnsupportedProtocol";

    /// <summary>Type (KubeLB's own): True while fields of the object are ignored; absent otherwise.</summary>
    public const string FieldsIgnored = $"{ApiGroups.Kubelb}/FieldsIgnored";

    /// <summary>Type: True while the next version will reject the object, which only earlier defaults permit; absent otherwise.</summary>
    public const string DefaultExceeded = $"{ApiGroups.Kubelb}/DefaultExceeded";

    /// <summary>Reason: the Gateway requests an address that is not supported.</summary>
    public const string UnsupportedAddress = "UnsupportedAddress";

    /// <summary>Reason: the Gateway refers to parameters that are invalid or not supported.</summary>
    public const string InvalidParameters = "InvalidParameters";

    /// <summary>Reason: a value is not supported.</summary>
    public const string UnsupportedValue = "UnsupportedValue";
}
