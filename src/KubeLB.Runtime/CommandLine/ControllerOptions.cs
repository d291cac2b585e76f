using System.CommandLine;
using System.Globalization;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Probes;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.CommandLine;

/// <summary>Creates command-line options in the syntax of Go controllers.</summary>
public static class ControllerOptions
{
    /// <summary>A text option.</summary>
    public static Option<string> Text(string name, string description, string defaultValue = "") =>
        new(name) { Description = description, DefaultValueFactory = _ => defaultValue };

    /// <summary>A switch: <c>--name</c>, <c>--name=true</c> or <c>--name=false</c>.</summary>
    public static Option<bool> Switch(string name, string description, bool defaultValue = false) =>
        new(name)
        {
            Description = description,
            DefaultValueFactory = _ => defaultValue,
            Arity = ArgumentArity.ZeroOrOne,
        };

    /// <summary>An integer of 0 or more.</summary>
    public static Option<int> Number(string name, string description, int defaultValue = 0)
    {
        var option = new Option<int>(name)
        {
            Description = description,
            HelpName = "number",
            DefaultValueFactory = _ => defaultValue,
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && (!int.TryParse(result.Tokens[0].Value, out var number) || number < 0))
            {
                result.AddError($"{name}: invalid value \"{result.Tokens[0].Value}\"; must be an integer of 0 or more.");
            }
        });
        return option;
    }

    /// <summary>A text option with a fixed set of values.</summary>
    public static Option<string> OneOf(string name, string description, string defaultValue, params string[] values)
    {
        var option = Text(name, description, defaultValue);
        option.HelpName = string.Join('|', values);
        option.CompletionSources.Add(values);
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !values.Contains(result.Tokens[0].Value, StringComparer.Ordinal))
            {
                var permitted = $"{string.Join(", ", values[..^1])} or {values[^1]}";
                result.AddError($"{name}: invalid value \"{result.Tokens[0].Value}\"; must be {permitted}.");
            }
        });
        return option;
    }

    /// <summary>A listen address: <c>:PORT</c>, <c>IP:PORT</c>, <c>[IPv6]:PORT</c>; empty or <c>0</c> to disable.</summary>
    public static Option<string> Address(string name, string description, string defaultValue)
    {
        var option = Text(name, description, defaultValue);
        option.Validators.Add(result =>
        {
            try
            {
                ListenAddress.Parse(result.Tokens.Count > 0 ? result.Tokens[0].Value : null, loopbackByDefault: false);
            }
            catch (FormatException e)
            {
                result.AddError($"{name}: {e.Message}");
            }
        });
        return option;
    }

    /// <summary><c>--metrics-secure</c>.</summary>
    public static Option<bool> MetricsSecure() =>
        Switch(
            "--metrics-secure",
            "Serve /metrics over TLS, to clients with a bearer token whose user may get the nonResourceURL /metrics"
        );

    /// <summary><c>--metrics-cert-path</c>.</summary>
    public static Option<string> MetricsCertPath() =>
        Text(
            "--metrics-cert-path",
            "Folder with the certificate of /metrics: tls.crt and tls.key; empty for a self-signed one. Requires --metrics-secure"
        );

    /// <summary>The value of <c>--metrics-secure</c>.</summary>
    /// <exception cref="UsageException">The probes have the same address: kubelet sends no token.</exception>
    public static bool MetricsSecure(ParseResult parsed, Option<bool> secure, string metricsAddress, string probeAddress)
    {
        ArgumentNullException.ThrowIfNull(parsed);
        return !parsed.GetValue(secure) ? false
            : ListenAddress.Parse(metricsAddress, loopbackByDefault: false) is not { Port: > 0 } metrics
            || !metrics.Equals(ListenAddress.Parse(probeAddress, loopbackByDefault: false))
                ? true
            : throw new UsageException(
                "--metrics-secure requires another address for --metrics-addr than for --health-probe-bind-address: probes have no token."
            );
    }

    /// <summary>The value of <c>--metrics-cert-path</c>.</summary>
    /// <exception cref="UsageException"><c>--metrics-secure</c> is missing.</exception>
    public static string MetricsCertPath(ParseResult parsed, Option<bool> secure, Option<string> path)
    {
        ArgumentNullException.ThrowIfNull(parsed);
        var value = parsed.GetValue(path)!;
        return value.Length == 0 || parsed.GetValue(secure)
            ? value
            : throw new UsageException("--metrics-cert-path requires --metrics-secure: without it, /metrics is served in plain HTTP.");
    }

    /// <summary><c>--tracing-endpoint</c>.</summary>
    public static Option<string> TracingEndpoint() =>
        Text(
            "--tracing-endpoint",
            "URL of an OTLP receiver for traces of changes, for example http://collector:4317 (gRPC) or http://collector:4318 (HTTP); "
                + "empty to disable. Headers are read from $OTEL_EXPORTER_OTLP_HEADERS"
        );

    /// <summary><c>--tracing-sampling-ratio</c>.</summary>
    public static Option<string> TracingSamplingRatio() =>
        Text("--tracing-sampling-ratio", "Share of the changes that are traced, from 0 to 1", "1");

    /// <summary>The settings of both.</summary>
    /// <returns>Null if tracing is disabled.</returns>
    /// <exception cref="UsageException">A value, or an environment variable of the exporter, is not valid.</exception>
    public static TracingOptions? Tracing(ParseResult parsed, Option<string> endpoint, Option<string> samplingRatio)
    {
        ArgumentNullException.ThrowIfNull(parsed);
        try
        {
            return TracingOptions.Parse(parsed.GetValue(endpoint)!, parsed.GetValue(samplingRatio)!, Environment.GetEnvironmentVariable);
        }
        catch (FormatException e)
        {
            throw new UsageException(e.Message);
        }
    }

    /// <summary><c>--zap-log-level</c>.</summary>
    public static Option<string> LogLevel()
    {
        var option = Text(
            "--zap-log-level",
            "Minimum log level: debug, info, warn, error, panic, or a verbosity (0 is info, 1 debug, 2 and more trace)",
            "info"
        );
        option.HelpName = "level";
        option.Validators.Add(result =>
        {
            try
            {
                LogLevels.Parse(result.Tokens.Count > 0 ? result.Tokens[0].Value : "info");
            }
            catch (FormatException e)
            {
                result.AddError(e.Message);
            }
        });
        return option;
    }

    /// <summary>The value of <c>--zap-log-level</c>.</summary>
    public static LogLevel LogLevel(ParseResult parsed, Option<string> option)
    {
        ArgumentNullException.ThrowIfNull(parsed);
        return LogLevels.Parse(parsed.GetValue(option)!);
    }

    /// <summary><c>--log-format</c>.</summary>
    public static Option<string> LogFormat() =>
        OneOf(
            "--log-format",
            "Format of the log; auto is text on a terminal outside of a cluster, json otherwise",
            "auto",
            "auto",
            "text",
            "json"
        );

    /// <summary>The value of <c>--log-format</c>.</summary>
    public static LogFormat LogFormat(ParseResult parsed, Option<string> option)
    {
        ArgumentNullException.ThrowIfNull(parsed);
        return Enum.Parse<LogFormat>(parsed.GetValue(option)!, ignoreCase: true);
    }
}

/// <summary>Parses log levels in the syntax of zap.</summary>
internal static class LogLevels
{
    /// <summary>
    /// <c>debug</c>, <c>info</c>, <c>warn</c>, <c>error</c>, <c>panic</c>/<c>fatal</c> or <c>trace</c> in any case, or a verbosity: 0 is
    /// info, 1 is debug, 2 and more is trace.
    /// </summary>
    /// <exception cref="FormatException">The text is not a log level; the message lists the valid values.</exception>
    public static LogLevel Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var level = text.Trim().ToLowerInvariant() switch
        {
            "trace" or "verbose" => LogLevel.Trace,
            "debug" => LogLevel.Debug,
            "info" or "information" => LogLevel.Information,
            "warn" or "warning" => LogLevel.Warning,
            "error" => LogLevel.Error,
            "dpanic" or "panic" or "fatal" or "critical" => LogLevel.Critical,
            var other when int.TryParse(other, NumberStyles.None, CultureInfo.InvariantCulture, out var verbosity) => verbosity switch
            {
                0 => LogLevel.Information,
                1 => LogLevel.Debug,
                _ => LogLevel.Trace,
            },
            _ => LogLevel.None,
        };
        return level != LogLevel.None
            ? level
            : throw new FormatException(
                $"Invalid log level \"{text}\": use debug, info, warn, error, panic, or a verbosity (0 info, 1 debug, 2 and more trace)."
            );
    }
}
