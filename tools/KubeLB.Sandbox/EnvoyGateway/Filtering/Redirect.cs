using KubeLB.Api.GatewayApi;

namespace KubeLB.Sandbox.EnvoyGateway.Filtering;

/// <summary>Where a redirect leads. Pure.</summary>
internal static class Redirect
{
    /// <summary>The value of the Location header.</summary>
    /// <param name="filter">The filter.</param>
    /// <param name="scheme">The request's scheme.</param>
    /// <param name="host">The request's host, without port.</param>
    /// <param name="listenerPort">Port of the listener that the request arrived at.</param>
    /// <param name="path">The request's path.</param>
    /// <param name="query">The request's query with its question mark, or empty.</param>
    /// <param name="prefix">The prefix that the rule matched.</param>
    /// <remarks>https://gateway-api.sigs.k8s.io/reference/spec/#httprequestredirectfilter (port)</remarks>
    public static string Location(
        RequestRedirectFilter filter,
        string scheme,
        string host,
        int listenerPort,
        string path,
        string query,
        string prefix
    )
    {
        var target = filter.Scheme ?? scheme;
        var port = filter.Port ?? (filter.Scheme is null ? listenerPort : WellKnown(filter.Scheme) ?? listenerPort);
        var authority = port == WellKnown(target) ? filter.Hostname ?? host : $"{filter.Hostname ?? host}:{port}";
        return $"{target}://{authority}{PathRewrite.Apply(filter.Path, path, prefix)}{query}";
    }

    private static int? WellKnown(string scheme) =>
        scheme switch
        {
            "http" => 80,
            "https" => 443,
            _ => null,
        };
}
