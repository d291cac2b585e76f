using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using KubeLB.Api.GatewayApi;

namespace KubeLB.Sandbox.EnvoyGateway.Routing;

/// <summary>The CORS filter of a rule as Envoy Gateway configures Envoy.</summary>
internal sealed class CorsRule
{
    private readonly List<Regex> _origins;

    private CorsRule(JsonElement cors)
    {
        _origins =
        [
            .. Values(cors, "allowOrigins")
                .Select(origin => Expressions.Whole(Regex.Escape(origin).Replace(@"\*", ".*", StringComparison.Ordinal))),
        ];
        AllowMethods = Allowed(cors, "allowMethods");
        AllowHeaders = Allowed(cors, "allowHeaders");
        ExposeHeaders = string.Join(", ", Values(cors, "exposeHeaders"));
        AllowCredentials = cors.TryGetProperty("allowCredentials", out var allowed) && allowed.ValueKind == JsonValueKind.True;
        MaxAge = (cors.TryGetProperty("maxAge", out var age) && age.TryGetInt32(out var seconds) ? seconds : 0).ToString(
            CultureInfo.InvariantCulture
        );
    }

    /// <summary>Methods of a preflight's response; <c>*</c> for the requested one.</summary>
    public string AllowMethods { get; }

    /// <summary>Headers of a preflight's response; <c>*</c> for the requested ones.</summary>
    public string AllowHeaders { get; }

    /// <summary>Headers that a script may read.</summary>
    public string ExposeHeaders { get; }

    /// <summary>Whether requests with credentials are allowed.</summary>
    public bool AllowCredentials { get; }

    /// <summary>Seconds for which a browser caches a preflight's response.</summary>
    public string MaxAge { get; }

    /// <summary>The rule of a filter; null for a filter of another type.</summary>
    public static CorsRule? Of(IEnumerable<RouteFilter> filters) =>
        filters
            .Select(f => f.Unknown?.GetValueOrDefault("cors"))
            .Where(cors => cors is { ValueKind: JsonValueKind.Object })
            .Select(cors => new CorsRule(cors!.Value))
            .FirstOrDefault();

    /// <summary>Whether requests of an origin are allowed.</summary>
    public bool Allows(string origin) => _origins.Exists(o => o.IsMatch(origin));

    // Envoy knows the wildcard only alone.
    private static string Allowed(JsonElement cors, string field) =>
        Values(cors, field).ToList() is var values && values.Contains("*") ? "*" : string.Join(", ", values);

    private static IEnumerable<string> Values(JsonElement cors, string field) =>
        cors.TryGetProperty(field, out var values) && values.ValueKind == JsonValueKind.Array
            ? values.EnumerateArray().Select(v => v.ToString())
            : [];
}
