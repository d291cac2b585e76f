using System.Globalization;
using System.Net;
using KubeLB.Api.Messages;

namespace KubeLB.Sandbox.Activity;

/// <summary>A request to a Gateway, its response, and its path as far as it is known.</summary>
internal sealed record GatewayAccess
{
    private const int MaxText = 1024;

    /// <summary>When the request was received.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>HTTP method.</summary>
    public required string Method { get; init; }

    /// <summary>URL with the Host header, path and query as received.</summary>
    public required string Url { get; init; }

    /// <summary>Address and port of the Gateway.</summary>
    public required IPEndPoint Gateway { get; init; }

    /// <summary>HTTP status of the response; 0 if the client did not wait for it, as in Envoy's access log.</summary>
    public int Status { get; init; }

    /// <summary>gRPC status; null if the response has none.</summary>
    public string? GrpcStatus { get; init; }

    /// <summary>Time until the end of the response.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>What <see cref="RequestHops"/> found.</summary>
    public RequestHops Hops { get; init; } = new();

    /// <summary>The line of the access log without the time.</summary>
    public override string ToString()
    {
        var status = GrpcStatus is null ? $"{Status}" : $"{Status} grpc-status {GrpcStatus}";
        var milliseconds = Duration.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture);
        var request = $"{MessageText.Quote(Method, MaxText)} {MessageText.Quote(Url, MaxText)}";
        return $"{request} {MessageText.Quote(status, MaxText)} {milliseconds} ms gateway {Gateway}{Hops}";
    }
}

/// <summary>The hops of a request after the Gateway. The parts of the data path fill them in.</summary>
internal sealed record RequestHops
{
    /// <summary>End point of the tenant proxy of the last attempt; null if none was selected.</summary>
    public IPEndPoint? Proxy { get; set; }

    /// <summary>Name of the tenant proxy: its pod, or the tenant namespace of a stand-in; null if unknown.</summary>
    public string? ProxyName { get; set; }

    /// <summary>Node address and node port; null if unknown.</summary>
    public IPEndPoint? NodePort { get; set; }

    /// <summary>Namespace, name and port of the pod; null if unknown.</summary>
    public string? Pod { get; set; }

    /// <summary>Number of attempts.</summary>
    public int Attempts { get; set; }

    /// <summary>Why the Gateway itself responded; null if it did not.</summary>
    public string? Cause { get; set; }

    public override string ToString() =>
        (Proxy is null ? "" : $" -> proxy {(ProxyName is null ? "" : ProxyName + " ")}{Proxy}")
        + (NodePort is null ? "" : $" -> node {NodePort}")
        + (Pod is null ? "" : $" -> pod {Pod}")
        + (Attempts > 1 ? $" ({Attempts} attempts)" : "")
        + (Cause is null ? "" : $" ({Cause})");
}
