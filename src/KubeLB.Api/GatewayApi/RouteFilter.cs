namespace KubeLB.Api.GatewayApi;

/// <summary>A filter of a rule or backend; HTTPRoute's types are a superset of GRPCRoute's.</summary>
public sealed class RouteFilter : Extensible
{
    /// <summary>RequestHeaderModifier, ResponseHeaderModifier, RequestMirror, RequestRedirect, URLRewrite, ExtensionRef, …</summary>
    public string Type { get; set; } = "";

    /// <summary>Changes to request headers.</summary>
    public HeaderFilter? RequestHeaderModifier { get; set; }

    /// <summary>Changes to response headers.</summary>
    public HeaderFilter? ResponseHeaderModifier { get; set; }

    /// <summary>Copies requests to another backend.</summary>
    public RequestMirrorFilter? RequestMirror { get; set; }

    /// <summary>Responds with a redirect.</summary>
    public RequestRedirectFilter? RequestRedirect { get; set; }

    /// <summary>Rewrites host or path of the request.</summary>
    [System.Text.Json.Serialization.JsonPropertyName("urlRewrite")]
    public UrlRewriteFilter? UrlRewrite { get; set; }

    /// <summary>Refers to an implementation's own filter.</summary>
    public LocalObjectReference? ExtensionRef { get; set; }
}

/// <summary>The types of filters that KubeLB supports.</summary>
public static class RouteFilterTypes
{
    /// <summary>Copies requests to another backend.</summary>
    public const string RequestMirror = "RequestMirror";

    /// <summary>The types for GRPCRoutes.</summary>
    public static IReadOnlyList<string> OfGrpcRoutes { get; } = ["RequestHeaderModifier", "ResponseHeaderModifier", RequestMirror];

    /// <summary>The types for HTTPRoutes.</summary>
    public static IReadOnlyList<string> OfHttpRoutes { get; } = [.. OfGrpcRoutes, "RequestRedirect", "URLRewrite", "CORS"];
}

/// <summary>Header changes: set, then add, then remove.</summary>
public sealed class HeaderFilter : Extensible
{
    /// <summary>Headers to set; existing values are replaced.</summary>
    public List<HeaderValue>? Set { get; set; }

    /// <summary>Headers to add; existing values are kept.</summary>
    public List<HeaderValue>? Add { get; set; }

    /// <summary>Names of headers to remove.</summary>
    public List<string>? Remove { get; set; }
}

/// <summary>A header and its value, which may have command operators of Envoy such as <c>%REQ(X-REQUEST-ID)%</c>.</summary>
public sealed class HeaderValue : Extensible
{
    /// <summary>Name, case-insensitive.</summary>
    public string Name { get; set; } = "";

    /// <summary>Value.</summary>
    public string Value { get; set; } = "";
}

/// <summary>Copies requests to another backend and ignores its responses.</summary>
public sealed class RequestMirrorFilter : Extensible
{
    /// <summary>The backend that receives the copies.</summary>
    public BackendObjectReference? BackendRef { get; set; }

    /// <summary>Percentage of requests, 0-100; all if absent.</summary>
    public int? Percent { get; set; }
}

/// <summary>Responds with a redirect.</summary>
public sealed class RequestRedirectFilter : Extensible
{
    /// <summary>http or https; the request's if absent.</summary>
    public string? Scheme { get; set; }

    /// <summary>Host; the request's if absent.</summary>
    public string? Hostname { get; set; }

    /// <summary>Path; the request's if absent.</summary>
    public PathModifier? Path { get; set; }

    /// <summary>Port; the scheme's or the listener's if absent.</summary>
    public int? Port { get; set; }

    /// <summary>301 or 302 (if absent); newer versions of Gateway API allow more.</summary>
    public int? StatusCode { get; set; }
}

/// <summary>Rewrites host or path of the request.</summary>
public sealed class UrlRewriteFilter : Extensible
{
    /// <summary>Host header; the request's if absent.</summary>
    public string? Hostname { get; set; }

    /// <summary>Path; the request's if absent.</summary>
    public PathModifier? Path { get; set; }
}

/// <summary>How a path is replaced.</summary>
public sealed class PathModifier : Extensible
{
    /// <summary>ReplaceFullPath or ReplacePrefixMatch.</summary>
    public string Type { get; set; } = "";

    /// <summary>The new path.</summary>
    public string? ReplaceFullPath { get; set; }

    /// <summary>Replaces the matched prefix.</summary>
    public string? ReplacePrefixMatch { get; set; }
}
