using System.Globalization;
using System.Net;
using System.Text;
using KubeLB.Sandbox.EnvoyGateway.Routing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace KubeLB.Sandbox.EnvoyGateway.Forwarding;

/// <summary>
/// Keeps a client at one endpoint like Envoy's stateful sessions: a cookie or header contains the address. With KubeLB it is that of a
/// tenant proxy, not of a pod.
/// </summary>
/// <param name="rule">The rule.</param>
/// <param name="path">Path of the cookie.</param>
internal sealed class Session(SessionRule rule, string path)
{
    private string? _requested;

    /// <summary>The endpoints with that of the request first, if it still exists.</summary>
    public IReadOnlyList<IPEndPoint> Order(HttpRequest request, IReadOnlyList<IPEndPoint> endPoints)
    {
        _requested = rule.IsHeader ? request.Headers[rule.Name].ToString() : request.Cookies[rule.Name]?.Trim('"');
        var known = endPoints.FirstOrDefault(e => ValueOf(e) == _requested);
        return known is null ? endPoints : [known, .. endPoints.Where(e => !e.Equals(known))];
    }

    /// <summary>Sets the cookie or header if the response is of another endpoint than requested.</summary>
    public void SetOn(HttpResponse response, IPEndPoint endPoint)
    {
        var value = ValueOf(endPoint);
        if (value == _requested)
        {
            return;
        }

        if (rule.IsHeader)
        {
            response.Headers[rule.Name] = value;
            return;
        }

        var age = rule.Lifetime is { } lifetime
            ? string.Create(CultureInfo.InvariantCulture, $" Max-Age={(long)lifetime.TotalSeconds};")
            : "";
        response.Headers.SetCookie = StringValues.Concat(
            response.Headers.SetCookie,
            $"{rule.Name}=\"{value}\";{age}{(path.Length == 0 ? "" : $" Path={path};")} HttpOnly"
        );
    }

    private static string ValueOf(IPEndPoint endPoint) => Convert.ToBase64String(Encoding.ASCII.GetBytes(endPoint.ToString()));
}
