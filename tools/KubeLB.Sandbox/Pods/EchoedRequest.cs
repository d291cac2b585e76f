namespace KubeLB.Sandbox.Pods;

/// <summary>The response of an echo backend: the received request and the pod.</summary>
public sealed record EchoedRequest
{
    /// <summary>HTTP method.</summary>
    public string Method { get; init; } = "";

    /// <summary>Path, undecoded.</summary>
    public string Path { get; init; } = "";

    /// <summary>Query string with its question mark; empty if there is none.</summary>
    public string Query { get; init; } = "";

    /// <summary>Host header or <c>:authority</c>.</summary>
    public string Host { get; init; } = "";

    /// <summary>For example <c>HTTP/1.1</c> or <c>HTTP/2</c>.</summary>
    public string Protocol { get; init; } = "";

    /// <summary>Headers in lower case with their values.</summary>
    public IReadOnlyDictionary<string, string[]> Headers { get; init; } = new Dictionary<string, string[]>();

    /// <summary>The first 16 KiB of the body as text.</summary>
    public string Body { get; init; } = "";

    /// <summary>Length of the whole body in bytes.</summary>
    public long BodyLength { get; init; }

    /// <summary>Name of the cluster.</summary>
    public string Cluster { get; init; } = "";

    /// <summary>Namespace of the pod.</summary>
    public string Namespace { get; init; } = "";

    /// <summary>Name of the pod.</summary>
    public string Pod { get; init; } = "";

    /// <summary>IP address of the pod.</summary>
    public string PodIp { get; init; } = "";

    /// <summary>Container port of the request.</summary>
    public int ContainerPort { get; init; }

    /// <summary>Node of the pod.</summary>
    public string Node { get; init; } = "";
}
