using k8s.Models;
using KubeLB.Api.GatewayApi;

namespace KubeLB.Api.EnvoyGateway;

/// <summary>How Envoy Gateway's proxies connect to the backends of a Gateway or route.</summary>
/// <remarks>https://gateway.envoyproxy.io/docs/api/extension_types/#backendtrafficpolicy</remarks>
[KubernetesEntity(Group = ApiGroups.EnvoyGateway, ApiVersion = EnvoyGatewayVersion.V1Alpha1, Kind = KindName, PluralName = PluralName)]
public sealed class BackendTrafficPolicy : ApiObject
{
    /// <summary>The kind.</summary>
    public const string KindName = "BackendTrafficPolicy";

    /// <summary>The resource's plural name.</summary>
    public const string PluralName = "backendtrafficpolicies";

    /// <summary>An empty object of the right type.</summary>
    public BackendTrafficPolicy()
    {
        ApiVersion = EnvoyGatewayVersion.ApiVersion;
        Kind = KindName;
    }

    /// <summary>Spec.</summary>
    public BackendTrafficPolicySpec? Spec { get; set; }

    /// <summary>Status.</summary>
    public PolicyStatus? Status { get; set; }
}

/// <summary>Spec of a <see cref="BackendTrafficPolicy"/>: the part that KubeLB writes.</summary>
public sealed class BackendTrafficPolicySpec : Extensible
{
    /// <summary>The targets of the policy, in its own namespace.</summary>
    public List<PolicyTargetReference>? TargetRefs { get; set; }

    /// <summary>Retry settings; requests are not retried if absent.</summary>
    public RetryPolicy? Retry { get; set; }
}

/// <summary>Reference of a policy to its target, in its own namespace.</summary>
public sealed class PolicyTargetReference : Extensible
{
    /// <summary>API group, Gateway API's.</summary>
    public string Group { get; set; } = "";

    /// <summary>Kind, for example HTTPRoute.</summary>
    public string Kind { get; set; } = "";

    /// <summary>Name.</summary>
    public string Name { get; set; } = "";

    /// <summary>Listener or rule; the whole object if absent.</summary>
    public string? SectionName { get; set; }
}

/// <summary>Status of a policy: one entry per ancestor and controller.</summary>
/// <remarks>GEP-713.</remarks>
public sealed class PolicyStatus : Extensible
{
    /// <summary>At most 16 entries.</summary>
    public List<PolicyAncestorStatus>? Ancestors { get; set; }
}

/// <summary>A controller's report on a policy for one ancestor of its target, usually a Gateway.</summary>
public sealed class PolicyAncestorStatus : Extensible
{
    /// <summary>The ancestor.</summary>
    public ParentReference AncestorRef { get; set; } = new();

    /// <summary>The controller that wrote the entry.</summary>
    public string ControllerName { get; set; } = "";

    /// <summary>Conditions, <c>Accepted</c> among them.</summary>
    public List<Condition> Conditions { get; set; } = [];
}

/// <summary>The version of Envoy Gateway's extensions in use.</summary>
public static class EnvoyGatewayVersion
{
    /// <summary>Version.</summary>
    public const string V1Alpha1 = "v1alpha1";

    /// <summary>Group and version.</summary>
    public const string ApiVersion = $"{ApiGroups.EnvoyGateway}/{V1Alpha1}";
}

/// <summary>Retries of a <see cref="BackendTrafficPolicy"/>.</summary>
/// <remarks>https://gateway.envoyproxy.io/docs/api/extension_types/#retry</remarks>
public sealed class RetryPolicy : Extensible
{
    /// <summary>Maximum number of retries of a request, 0 or more; 2 if absent.</summary>
    public int? NumRetries { get; set; }

    /// <summary>Conditions for a retry; connect-failure, refused-stream, unavailable, cancelled and status 503 if absent.</summary>
    public RetryOn? RetryOn { get; set; }

    /// <summary>Settings of each attempt.</summary>
    public PerRetryPolicy? PerRetry { get; set; }
}

/// <summary>Conditions for a retry.</summary>
public sealed class RetryOn : Extensible
{
    /// <summary>Values of <see cref="RetryTriggers"/>.</summary>
    public List<string>? Triggers { get; set; }

    /// <summary>Status codes, 100-599, for the trigger <see cref="RetryTriggers.RetriableStatusCodes"/>.</summary>
    public List<int>? HttpStatusCodes { get; set; }
}

/// <summary>Settings of each attempt.</summary>
public sealed class PerRetryPolicy : Extensible
{
    /// <summary>Timeout of one attempt, a Gateway API duration; none if absent.</summary>
    public string? Timeout { get; set; }

    /// <summary>Back-off between attempts; 25ms to 250ms if absent.</summary>
    public BackOffPolicy? BackOff { get; set; }
}

/// <summary>Fully jittered exponential back-off.</summary>
public sealed class BackOffPolicy : Extensible
{
    /// <summary>Maximum of the first interval, a Gateway API duration above zero.</summary>
    public string? BaseInterval { get; set; }

    /// <summary>
    /// Maximum of all intervals, a Gateway API duration; ten times <see cref="BaseInterval"/> if absent, and never less than it.
    /// </summary>
    public string? MaxInterval { get; set; }
}

/// <summary>The retry triggers of Envoy Gateway.</summary>
/// <remarks>https://gateway.envoyproxy.io/docs/api/extension_types/#triggerenum</remarks>
public static class RetryTriggers
{
    /// <summary>Any status 500-599, and the triggers <c>reset</c>, <c>connect-failure</c> and <c>refused-stream</c>.</summary>
    public const string Any5xx = "5xx";

    /// <summary>Status 502, 503 and 504.</summary>
    public const string GatewayError = "gateway-error";

    /// <summary>No response: disconnect, reset or timeout.</summary>
    public const string Reset = "reset";

    /// <summary>Like <see cref="Reset"/>, but only if the request was not sent to the backend.</summary>
    public const string ResetBeforeRequest = "reset-before-request";

    /// <summary>The connection to the backend failed.</summary>
    public const string ConnectFailure = "connect-failure";

    /// <summary>Status 409.</summary>
    public const string Retriable4xx = "retriable-4xx";

    /// <summary>The backend reset the stream with REFUSED_STREAM.</summary>
    public const string RefusedStream = "refused-stream";

    /// <summary>The status codes in <c>httpStatusCodes</c>.</summary>
    public const string RetriableStatusCodes = "retriable-status-codes";

    /// <summary>gRPC status CANCELLED.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>gRPC status DEADLINE_EXCEEDED.</summary>
    public const string DeadlineExceeded = "deadline-exceeded";

    /// <summary>gRPC status INTERNAL.</summary>
    public const string Internal = "internal";

    /// <summary>gRPC status RESOURCE_EXHAUSTED.</summary>
    public const string ResourceExhausted = "resource-exhausted";

    /// <summary>gRPC status UNAVAILABLE.</summary>
    public const string Unavailable = "unavailable";

    /// <summary>All of them, in the order of Envoy Gateway's documentation.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        Any5xx,
        GatewayError,
        Reset,
        ResetBeforeRequest,
        ConnectFailure,
        Retriable4xx,
        RefusedStream,
        RetriableStatusCodes,
        Cancelled,
        DeadlineExceeded,
        Internal,
        ResourceExhausted,
        Unavailable,
    ];
}

/// <summary>Annotations that configure the retries of an HTTPRoute or GRPCRoute.</summary>
public static class RetryAnnotations
{
    /// <summary>Conditions for a retry: <see cref="RetryTriggers"/> and status codes, separated by commas.</summary>
    public const string RetryOn = $"{ApiGroups.EnvoyGateway}/retry-on";

    /// <summary>Maximum number of retries of a request.</summary>
    public const string NumRetries = $"{ApiGroups.EnvoyGateway}/num-retries";

    /// <summary>Timeout of one attempt, a Gateway API duration.</summary>
    public const string PerTryTimeout = $"{ApiGroups.EnvoyGateway}/retry-per-try-timeout";

    /// <summary>Maximum of the first back-off interval, a Gateway API duration above zero.</summary>
    public const string BackOffBaseInterval = $"{ApiGroups.EnvoyGateway}/retry-back-off-base-interval";

    /// <summary>Maximum of all back-off intervals, a Gateway API duration; requires <see cref="BackOffBaseInterval"/>.</summary>
    public const string BackOffMaxInterval = $"{ApiGroups.EnvoyGateway}/retry-back-off-max-interval";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [RetryOn, NumRetries, PerTryTimeout, BackOffBaseInterval, BackOffMaxInterval];
}
