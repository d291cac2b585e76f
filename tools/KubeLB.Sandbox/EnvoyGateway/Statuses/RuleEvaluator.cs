using System.Text.Json;
using System.Text.RegularExpressions;
using KubeLB.Api.GatewayApi;
using KubeLB.Sandbox.EnvoyGateway.Routing;

namespace KubeLB.Sandbox.EnvoyGateway.Statuses;

/// <summary>Evaluates and compiles the rules of a route. Pure.</summary>
internal static class RuleEvaluator
{
    /// <summary>Evaluates all rules, in order.</summary>
    public static IReadOnlyList<RuleEvaluation> Evaluate(IGatewayRoute route, string kind, IClusterView view)
    {
        // A GRPCRoute without rules has no backends; both kinds then have no rule to serve.
        return [.. route.Rules.Select((rule, index) => Evaluate(route, kind, rule, index, view))];
    }

    private static RuleEvaluation Evaluate(IGatewayRoute route, string kind, RouteRule rule, int index, IClusterView view)
    {
        var references = new List<(string Reason, string Message)>();
        var endpoints = new List<string>();
        var ns = route.Metadata.NamespaceProperty ?? "";
        RuleError? error = null;
        IReadOnlyList<RouteMatch> matches = [];
        try
        {
            matches = Matches(rule);
        }
        catch (ArgumentException e)
        {
            error = new RuleError(RegexMessage(rule, e), FromMatch: true);
        }

        if (FilterEvaluator.Error(rule.Filters ?? []) is { } filterError)
        {
            error ??= new RuleError(filterError, FromMatch: false);
        }

        var backends = new List<BackendTarget>();
        foreach (var (backend, at) in (rule.BackendRefs ?? []).Select((b, at) => (b, at)))
        {
            var problem = BackendEvaluator.Error(backend, kind, ns, view) ?? FilterEvaluator.BackendError(backend.Filters ?? []);
            if (problem is { } found)
            {
                references.Add((found.Reason, $"Failed to process route rule {index} backendRef {at}: {found.Message}"));
            }

            backends.Add(Target(backend, ns, backend.Weight ?? 1, problem is null, backend.Filters ?? []));
        }

        var mirrors = Mirrors(rule, kind, ns, view, references, endpoints);
        if (mirrors is null)
        {
            // Envoy Gateway responds with 500 to all requests of a rule with an invalid mirror.
            backends = [.. backends.Select(b => b with { IsValid = false })];
        }

        var timeouts = (rule as HttpRouteRule)?.Timeouts;
        var action = new RouteAction
        {
            Filters = rule.Filters ?? [],
            Backends = backends,
            Mirrors = mirrors ?? [],
            Retry = RetryRule.OfRule(rule),
            Cors = CorsRule.Of(rule.Filters ?? []),
            Session = SessionRule.Of(route, kind, rule, index),
            RequestTimeout = Durations.Parse(timeouts?.Request),
            BackendTimeout = Durations.Parse(timeouts?.BackendRequest),
            IsGrpc = kind == GrpcRoute.KindName,
        };
        return new RuleEvaluation(index, error, matches, action, references, endpoints);
    }

    /// <returns>The mirrors; null if one is invalid.</returns>
    private static List<(BackendTarget Target, double Percent)>? Mirrors(
        RouteRule rule,
        string kind,
        string ns,
        IClusterView view,
        List<(string Reason, string Message)> references,
        List<string> endpoints
    )
    {
        var mirrors = new List<(BackendTarget, double)>();
        var areValid = true;
        foreach (var mirror in (rule.Filters ?? []).Select(f => f.RequestMirror).OfType<RequestMirrorFilter>())
        {
            if (mirror.BackendRef is not { } backend)
            {
                continue;
            }

            if (BackendEvaluator.Error(backend, kind, ns, view) is { } problem)
            {
                references.Add((problem.Reason, $"Failed to validate the RequestMirror filter: {problem.Message}"));
                areValid = false;
                continue;
            }

            if (!view.HasEndpoints(backend.Namespace ?? ns, backend.Name))
            {
                endpoints.Add(
                    "Failed to validate the RequestMirror filter: no ready endpoints for the related Service "
                        + $"{backend.Namespace ?? ns}/{backend.Name}."
                );
            }

            mirrors.Add((Target(backend, ns, 1, true, []), Percent(mirror)));
        }

        return areValid ? mirrors : null;
    }

    private static double Percent(RequestMirrorFilter mirror) =>
        mirror.Unknown?.GetValueOrDefault("fraction") is { ValueKind: JsonValueKind.Object } fraction
        && fraction.TryGetProperty("numerator", out var value)
        && value.TryGetInt32(out var numerator)
            ? 100.0
                * numerator
                / (fraction.TryGetProperty("denominator", out var all) && all.TryGetInt32(out var denominator) ? denominator : 100)
            : mirror.Percent ?? 100;

    private static IReadOnlyList<RouteMatch> Matches(RouteRule rule) =>
        rule switch
        {
            HttpRouteRule http => [.. (http.Matches is { Count: > 0 } matches ? matches : [new HttpRouteMatch()]).Select(RouteMatch.Of)],
            GrpcRouteRule grpc => [.. (grpc.Matches is { Count: > 0 } matches ? matches : [new GrpcRouteMatch()]).Select(RouteMatch.Of)],
            _ => [],
        };

    private static string RegexMessage(RouteRule rule, ArgumentException error)
    {
        var values = rule switch
        {
            HttpRouteRule http => (http.Matches ?? []).SelectMany(m =>
                new[] { (m.Path?.Type, m.Path?.Value) }.Concat(
                    (m.Headers ?? []).Concat(m.QueryParams ?? []).Select(v => (v.Type, (string?)v.Value))
                )
            ),
            GrpcRouteRule grpc => (grpc.Matches ?? []).SelectMany(m =>
                new[] { (m.Method?.Type, m.Method?.Service), (m.Method?.Type, m.Method?.Method) }.Concat(
                    (m.Headers ?? []).Select(v => (v.Type, (string?)v.Value))
                )
            ),
            _ => [],
        };
        foreach (var (type, value) in values)
        {
            if (type != "RegularExpression" || value is null || IsRegex(value))
            {
                continue;
            }

            return $"regex \"{value}\" is invalid: error parsing regexp: {GoMessage(value)}.";
        }

        return error.Message;
    }

    // The most common errors have the messages of Go's regexp package, as in Envoy Gateway. Those of .NET quote the compiled pattern.
    private static string GoMessage(string value)
    {
        if (value[0] is '*' or '+' or '?')
        {
            return $"missing argument to repetition operator: `{value[0]}`";
        }

        try
        {
            _ = new Regex(value, RegexOptions.None, TimeSpan.FromSeconds(1));
        }
        catch (RegexParseException e)
        {
            return e.Error switch
            {
                RegexParseError.InsufficientClosingParentheses => $"missing closing ): `{value}`",
                RegexParseError.InsufficientOpeningParentheses => $"unexpected ): `{value}`",
                RegexParseError.UnterminatedBracket => $"missing closing ]: `{value}`",
                RegexParseError.ReversedCharacterRange => $"invalid character class range: `{value}`",
                RegexParseError.UnescapedEndingBackslash => "trailing backslash at end of expression: ``",
                RegexParseError.NestedQuantifiersNotParenthesized => $"invalid nested repetition operator: `{value}`",
                _ => $"invalid or unsupported Perl syntax: `{value}`",
            };
        }

        // RE2 lacks it.
        return $"invalid or unsupported Perl syntax: `{value}`";
    }

    private static bool IsRegex(string value)
    {
        try
        {
            Expressions.Whole(value);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static BackendTarget Target(
        BackendObjectReference backend,
        string ns,
        int weight,
        bool isValid,
        IReadOnlyList<RouteFilter> filters
    ) => new(backend.Namespace ?? ns, backend.Name, backend.Port ?? 0, weight, isValid, filters);
}

/// <summary>Validates backend references. Pure.</summary>
internal static class BackendEvaluator
{
    /// <summary>The error of a reference; null if it is resolved.</summary>
    public static (string Reason, string Message)? Error(
        BackendObjectReference backend,
        string routeKind,
        string routeNamespace,
        IClusterView view
    )
    {
        var ns = backend.Namespace ?? routeNamespace;
        if (backend.Group is { Length: > 0 })
        {
            return (
                GatewayConditions.InvalidKind,
                "Group is invalid, only the core API group (specified by omitting the group field or setting it to an empty string), "
                    + "multicluster.x-k8s.io and gateway.envoyproxy.io are supported."
            );
        }

        if (backend.Kind is not (null or "Service"))
        {
            return (
                GatewayConditions.InvalidKind,
                "Kind is invalid, only Service, MCS ServiceImport, Envoy Gateway Backend and EndpointSlice are supported."
            );
        }

        if (!Grants.Permit(view, routeKind, routeNamespace, "Service", ns, backend.Name))
        {
            return (GatewayConditions.RefNotPermitted, $"Backend ref to Service {ns}/{backend.Name} not permitted by any ReferenceGrant.");
        }

        if (backend.Port is not { } port)
        {
            return ("PortNotSpecified", "A valid port number corresponding to a port on the Service must be specified.");
        }

        if (view.Service(ns, backend.Name) is not { } service)
        {
            return (GatewayConditions.BackendNotFound, $"service {ns}/{backend.Name} not found.");
        }

        return service.Spec?.Ports?.Any(p => p.Port == port && p.Protocol is null or "" or "TCP") == true
            ? null
            : ("PortNotFound", $"TCP Port {port} not found on Service {ns}/{backend.Name}.");
    }
}
