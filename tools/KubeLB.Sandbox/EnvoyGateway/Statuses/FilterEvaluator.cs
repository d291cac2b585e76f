using System.Text.RegularExpressions;
using KubeLB.Api.GatewayApi;

namespace KubeLB.Sandbox.EnvoyGateway.Statuses;

/// <summary>Judges filters. Pure.</summary>
internal static partial class FilterEvaluator
{
    private const string NameHint =
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an "
        + "alphanumeric character (e.g. 'example.com', regex used for validation is "
        + @"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

    /// <summary>What is wrong with the filters of a rule; null if nothing is.</summary>
    public static string? Error(IReadOnlyList<RouteFilter> filters)
    {
        if (filters.Count(f => f.UrlRewrite is not null) > 1)
        {
            return "Cannot configure multiple urlRewrite filters for a single HTTPRouteRule.";
        }

        return filters.Select(Error).FirstOrDefault(error => error is not null);
    }

    /// <summary>What is wrong with the filters of a backend; null if nothing is.</summary>
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
            "RequestRedirect" => filter.RequestRedirect is { StatusCode: not (null or 301 or 302) } redirect
                ? $"Status code {redirect.StatusCode} is invalid, only 302 and 301 are supported."
                : NameError(filter.RequestRedirect?.Hostname) ?? PathError(filter.RequestRedirect?.Path),
            "URLRewrite" => NameError(filter.UrlRewrite?.Hostname) ?? PathError(filter.UrlRewrite?.Path),
            "ExtensionRef" => $"Invalid filter ExtensionRef: unknown kind {filter.ExtensionRef?.Group}/{filter.ExtensionRef?.Kind}.",
            "RequestMirror" => null,
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
