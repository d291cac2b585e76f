using System.Globalization;

namespace KubeLB.Runtime.Hosting;

/// <summary>Export of traces. Headers, certificates and timeouts are read from the environment (<c>OTEL_EXPORTER_OTLP_…</c>).</summary>
/// <param name="Endpoint">URL of the OTLP receiver.</param>
/// <param name="SamplingRatio">The share of changes that are traced, 0 to 1.</param>
public sealed record TracingOptions(Uri Endpoint, double SamplingRatio)
{
    /// <summary>The environment variable of the headers of traces.</summary>
    internal const string TracesHeaders = "OTEL_EXPORTER_OTLP_TRACES_HEADERS";

    private const string Headers = "OTEL_EXPORTER_OTLP_HEADERS";
    private const string ProtocolVariable = "OTEL_EXPORTER_OTLP_PROTOCOL";
    private const string TracesProtocolVariable = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL";
    private const int HttpPort = 4318;
    private const NumberStyles RatioStyle = NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    /// <summary>Whether the protocol is OTLP over HTTP with protobuf; otherwise it is gRPC.</summary>
    public bool IsHttp { get; init; }

    /// <summary>The URL to which the exporter sends: over HTTP without a path, that of traces is added.</summary>
    public Uri Target => IsHttp && Endpoint.AbsolutePath == "/" ? new Uri(Endpoint, "v1/traces") : Endpoint;

    /// <summary>
    /// Parses the settings. The protocol is that of <c>OTEL_EXPORTER_OTLP_PROTOCOL</c>; without it, HTTP for port 4318 or a URL with a
    /// path, and gRPC otherwise.
    /// </summary>
    /// <param name="endpoint">The URL; empty for no tracing.</param>
    /// <param name="samplingRatio">A number from 0 to 1.</param>
    /// <param name="environment">Reads an environment variable.</param>
    /// <returns>The settings; null without tracing.</returns>
    /// <exception cref="FormatException">A value is not valid. The message has the remedy.</exception>
    public static TracingOptions? Parse(string endpoint, string samplingRatio, Func<string, string?> environment)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        ArgumentNullException.ThrowIfNull(environment);
        if (!double.TryParse(samplingRatio, RatioStyle, CultureInfo.InvariantCulture, out var ratio) || ratio is not (>= 0 and <= 1))
        {
            throw new FormatException(
                $"--tracing-sampling-ratio: invalid value \"{samplingRatio}\"; must be a number from 0 to 1, for example 0.1."
            );
        }

        if (endpoint.Length == 0)
        {
            return null;
        }

        if (
            !Uri.TryCreate(endpoint, UriKind.Absolute, out var url) || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps)
        )
        {
            throw new FormatException(
                "--tracing-endpoint: invalid URL; must be the http or https URL of an OTLP receiver, for example http://collector:4317."
            );
        }

        // The value is not part of the messages: it may contain a password.
        if (url.UserInfo.Length > 0 || url.Query.Length > 0 || url.Fragment.Length > 0)
        {
            throw new FormatException(
                "--tracing-endpoint: a URL with user information, query or fragment is not supported; "
                    + "set credentials in the environment variable OTEL_EXPORTER_OTLP_HEADERS."
            );
        }

        foreach (var name in new[] { Headers, TracesHeaders })
        {
            CheckHeaders(name, environment(name));
        }

        return new TracingOptions(url, ratio) { IsHttp = IsHttpProtocol(url, environment) };
    }

    // The value is a secret.
    private static void CheckHeaders(string variable, string? headers)
    {
        if (
            !string.IsNullOrEmpty(headers)
            && !Uri.UnescapeDataString(headers).Split(',').All(header => header.Trim().IndexOf('=', StringComparison.Ordinal) > 0)
        )
        {
            throw new FormatException($"{variable} is not valid; must be a comma-separated list of name=value.");
        }
    }

    private static bool IsHttpProtocol(Uri url, Func<string, string?> environment)
    {
        var variable = string.IsNullOrEmpty(environment(TracesProtocolVariable)) ? ProtocolVariable : TracesProtocolVariable;
        return environment(variable) switch
        {
            null or "" => url.Port == HttpPort || url.AbsolutePath != "/",
            "grpc" => false,
            "http/protobuf" => true,
            var other => throw new FormatException($"{variable}: invalid value \"{other}\"; must be grpc or http/protobuf."),
        };
    }
}
