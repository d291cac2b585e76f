using System.Text.RegularExpressions;
using KubeLB.Api.GatewayApi;

namespace KubeLB.Sandbox.EnvoyGateway.Statuses;

/// <summary>Validates filters. Pure.</summary>
internal static partial class FilterEvaluator
{
    private const string NameHint =
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an "
        + "alphanumeric character (e.g. 'example.com', regex used for validation is "
        + @"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

    /// <summary>The error of the filters of a rule; null if they are valid.</summary>
    public static string? Error(IReadOnlyList<RouteFilter> filters)
    {
        if (filters.Count(f => f.UrlRewrite is not null) > 1)
        {
            return "Cannot configure multiple urlRewrite filters for a single HTTPRouteRule.";
        }

        return filters.Select(Error).FirstOrDefault(error => error is not null);
    }

    /// <summary>The error of the filters of a backend; null if they are valid.</summary>
    public static (string Reason, string Message)? BackendError(IReadOnlyList<RouteFilter> filters)
    {
        foreach (var filter in filters)
        {
            if (filter.Type is not ("RequestHeaderModifier" or "ResponseHeaderModifier" or "URLRewrite"))
            {
                return (
                    "UnsupportedRefValue",
                    "Specific filter is not supported within BackendRef, only RequestHeaderModifier, ResponseHeaderModifier, "
                        + "URLRewrite and "
                        + "gateway.envoyproxy.io/HTTPRouteFilter are supported."
                );
            }

            if (filter.UrlRewrite?.Path is not null)
            {
                return ("UnsupportedRefValue", "URLRewrite path modifier is not supported within BackendRef.");
            }
        }

        return null;
    }

    private static string? Error(RouteFilter filter) =>
        filter.Type switch
        {
            "RequestHeaderModifier" => HeaderFilterEvaluator.Error(filter.RequestHeaderModifier, "RequestHeaderModifier"),
            "ResponseHeaderModifier" => HeaderFilterEvaluator.Error(filter.ResponseHeaderModifier, "ResponseHeaderModifier"),
            "RequestRedirect" => filter.RequestRedirect is { StatusCode: not (null or 301 or 302 or 303 or 307 or 308) } redirect
                ? $"Status code {redirect.StatusCode} is invalid, only 302 and 301 are supported."
                : NameError(filter.RequestRedirect?.Hostname) ?? PathError(filter.RequestRedirect?.Path),
            "URLRewrite" => NameError(filter.UrlRewrite?.Hostname) ?? PathError(filter.UrlRewrite?.Path),
            "ExtensionRef" => $"Invalid filter ExtensionRef: unknown kind {filter.ExtensionRef?.Group}/{filter.ExtensionRef?.Kind}.",
            "RequestMirror" or "CORS" => null,
            _ => $"Invalid filter: unknown type {filter.Type}.",
        };

    private static string? NameError(string? hostname) =>
        hostname is null || Subdomain().IsMatch(hostname) ? null : $"Hostname \"{hostname}\" is invalid: [{NameHint}].";

    private static string? PathError(PathModifier? path) =>
        path switch
        {
            { Type: "ReplacePrefixMatch", ReplaceFullPath: not null } =>
                "ReplaceFullPath cannot be set when rewrite path type is \"ReplacePrefixMatch\".",
            { Type: "ReplaceFullPath", ReplacePrefixMatch: not null } =>
                "ReplacePrefixMatch cannot be set when rewrite path type is \"ReplaceFullPath\".",
            _ => null,
        };

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")]
    private static partial Regex Subdomain();
}

/// <summary>Validates header filters. Pure.</summary>
internal static class HeaderFilterEvaluator
{
    /// <summary>The error of a filter; null if it is valid.</summary>
    public static string? Error(HeaderFilter? filter, string type)
    {
        if (filter is null)
        {
            return null;
        }

        var errors = new List<string>();
        var valid = 0;
        foreach (var (verb, header) in (filter.Add ?? []).Select(h => ("add", h)).Concat((filter.Set ?? []).Select(h => ("set", h))))
        {
            if (header.Name.Length == 0)
            {
                errors.Add($"{type} Filter cannot {verb} a header with an empty name");
            }
            else if (!IsModifiable(header.Name))
            {
                var hint =
                    type == "RequestHeaderModifier" ? " To modify the Host header use the URLRewrite or the HTTPRouteFilter filter." : "";
                errors.Add(
                    $"Header: \"{header.Name}\". The {type} filter cannot {verb} the Host header or headers with a '/' or ':' "
                        + $"character in them.{hint}"
                );
            }
            else if (header.Value.Length == 0)
            {
                errors.Add($"Header: \"{header.Name}\". {type} Filter cannot {verb} a header with an invalid value.");
            }
            else
            {
                valid++;
            }
        }

        foreach (var name in filter.Remove ?? [])
        {
            if (IsModifiable(name))
            {
                valid++;
            }
            else
            {
                errors.Add(
                    $"Header: \"{name}\". The {type} filter cannot remove the Host header or headers with a '/' or ':' character in them."
                );
            }
        }

        if (valid == 0 && errors.Count > 0)
        {
            return $"{type} Filter did not provide valid configuration to add/set/remove any headers.";
        }

        var message = string.Join("\n", errors);
        return message.Length == 0 ? null
            : message.EndsWith('.') ? message
            : message + ".";
    }

    private static bool IsModifiable(string name) =>
        name.Length > 0 && !name.Equals("host", StringComparison.OrdinalIgnoreCase) && name.AsSpan().IndexOfAny('/', ':') < 0;
}
