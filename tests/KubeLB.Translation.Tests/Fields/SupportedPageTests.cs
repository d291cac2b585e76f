using KubeLB.Tests.Shared;
using KubeLB.Translation.Fields;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Fields;

/// <summary>
/// <c>docs/tenant/supported.md</c> lists the features and fields of Gateway API for tenants; it is written with
/// <c>KUBELB_UPDATE_GOLDEN=1</c> from <see cref="SupportedFeatures"/>, the conformance results, and <see cref="FieldDecisions"/>.
/// </summary>
public sealed class SupportedPageTests
{
    private static readonly TenantSettings Everything = new("tenant-t1", EnforceReferenceGrants: true);

    // What each feature of the conformance tests is, and why it is not supported.
    private static readonly Dictionary<string, string> Meanings = new(StringComparer.Ordinal)
    {
        ["GRPCRoute"] = "GRPCRoutes: matches of methods and headers, weights",
        ["GRPCRouteNamedRouteRule"] = "names of rules of a GRPCRoute",
        ["Gateway"] = "Gateways: listeners of protocol HTTP and HTTPS with TLS termination",
        ["GatewayAddressEmpty"] = "`spec.addresses` without a value",
        ["GatewayFrontendClientCertificateValidation"] =
            "client certificates; the listener is not served, because it would be served without the validation",
        ["GatewayFrontendClientCertificateValidationInsecureFallback"] =
            "client certificates that are requested but not required; the listener is not served either",
        ["GatewayHTTPListenerIsolation"] = "a request is served by the listener with the most specific hostname only",
        ["GatewayHTTPSListenerDetectMisdirectedRequests"] = "status 421 for a request on a TLS connection of another listener; not tested",
        ["GatewayInfrastructurePropagation"] = "`spec.infrastructure`: labels and annotations are ignored",
        ["GatewayPort8080"] = "listeners on port 8080",
        ["GatewayStaticAddresses"] = "`spec.addresses` with a value: only in ranges that the administrator permits, none by default",
        ["HTTPRoute"] = "HTTPRoutes: hostnames, matches of paths and headers, weights, redirects, request headers",
        ["HTTPRoute303RedirectStatusCode"] = "redirect with status 303",
        ["HTTPRoute307RedirectStatusCode"] = "redirect with status 307",
        ["HTTPRoute308RedirectStatusCode"] = "redirect with status 308",
        ["HTTPRouteBackendProtocolH2C"] = "HTTP/2 without TLS to a backend, `appProtocol: kubernetes.io/h2c`",
        ["HTTPRouteBackendProtocolWebSocket"] = "WebSockets to a backend, `appProtocol: kubernetes.io/ws`",
        ["HTTPRouteBackendRequestHeaderModification"] =
            "filter RequestHeaderModifier of a backendRef: a fault was fixed after the test run, and the test was not repeated",
        ["HTTPRouteBackendTimeout"] = "`timeouts.backendRequest`",
        ["HTTPRouteCORS"] = "filter CORS",
        ["HTTPRouteHostRewrite"] = "filter URLRewrite: hostname",
        ["HTTPRouteMethodMatching"] = "matches of methods",
        ["HTTPRouteNamedRouteRule"] = "names of rules of an HTTPRoute",
        ["HTTPRouteParentRefPort"] = "`port` of a parentRef",
        ["HTTPRoutePathRedirect"] = "filter RequestRedirect: path",
        ["HTTPRoutePathRewrite"] = "filter URLRewrite: path",
        ["HTTPRoutePortRedirect"] = "filter RequestRedirect: port",
        ["HTTPRouteQueryParamMatching"] = "matches of query parameters",
        ["HTTPRouteRequestMirror"] = "filter RequestMirror",
        ["HTTPRouteRequestMultipleMirrors"] = "several filters RequestMirror in a rule",
        ["HTTPRouteRequestPercentageMirror"] = "filter RequestMirror for a part of the requests",
        ["HTTPRouteRequestTimeout"] = "`timeouts.request`",
        ["HTTPRouteResponseHeaderModification"] = "filter ResponseHeaderModifier",
        ["HTTPRouteRetry"] = "`retry`: codes, attempts, backoff; only with the definitions of the experimental channel",
        ["HTTPRouteSchemeRedirect"] = "filter RequestRedirect: scheme",
        ["ReferenceGrant"] = "ReferenceGrants; enforced for backends if the CCM has `--enforce-reference-grants`",
    };

    private static readonly IReadOnlySet<string> Tested = File.ReadLines(
            Path.Combine(SourceTree.Root, "tests", "KubeLB.Translation.Tests", "testdata", "conformance", "v1.6.1.txt")
        )
        .Where(line => !line.StartsWith('#'))
        .Select(line => line.Split(' ')[0])
        .ToHashSet(StringComparer.Ordinal);

    [Fact]
    public void Page_lists_every_feature_and_field()
    {
        var supported = SupportedFeatures.Of(Everything).Select(f => f.Name!).ToHashSet(StringComparer.Ordinal);
        var page = new ReferencePage("KubeLB.Translation.Tests", "docs/tenant/supported.md")
            .Title(
                "What is supported of Gateway API",
                "the features of the GatewayClass, the results of the conformance tests, and the decisions about fields"
            )
            .Paragraph(
                """
                KubeLB serves Gateways, HTTPRoutes and GRPCRoutes of `gateway.networking.k8s.io/v1`. TLSRoute, TCPRoute, UDPRoute and
                ListenerSet are not supported. The GatewayClass of your cluster reports the supported features, without those that its
                administrator disabled:

                ```bash
                kubectl get gatewayclass kubelb -o jsonpath='{.status.supportedFeatures[*].name}'
                ```
                """
            )
            .Heading(2, "Features")
            .Line("The names are those of the conformance tests of Gateway API 1.6. A feature is supported if its tests passed.")
            .Line();
        foreach (var isSupported in (bool[])[true, false])
        {
            page.Line(isSupported ? "Supported:" : "\nNot supported:")
                .Line()
                .Table(
                    ["feature", isSupported ? "what it is" : "what happens"],
                    Tested
                        .Where(name => supported.Contains(name) == isSupported)
                        .Order(StringComparer.Ordinal)
                        .Select(name => (string[])[$"`{name}`", Meanings[name]])
                );
        }

        page.Heading(2, "Fields")
            .Line("A field that is **kept** works as Gateway API defines it. An **ignored** field has no effect; condition")
            .Line(
                "`kubelb.k8c.io/FieldsIgnored` of the object lists it. An object with a **rejected** field is not served: `Accepted=False`."
            )
            .Line("A field that is not listed is ignored. Filters of a backendRef are treated as those of a rule.")
            .Line("The reference has [all fields](../reference/fields.md) with the reasons.");
        foreach (var table in FieldDecisions.Tables)
        {
            page.Heading(3, table.Kind)
                .Table(["field", "result", "note"], Summary(table).Select(row => (string[])[row.Fields, row.Result, row.Note]));
        }

        page.Check();
    }

    [Fact]
    public void Every_feature_of_the_conformance_tests_has_a_meaning() =>
        Meanings.Keys.Should().BeEquivalentTo(Tested.Union(SupportedFeatures.Of(Everything).Select(f => f.Name!)));

    // Fields with the same result and note are one row; the fields below a field are left out if all have the same result.
    private static IEnumerable<(string Fields, string Result, string Note)> Summary(FieldTable table)
    {
        var rules = table.Rules.Where(rule => !IsOfEarlierReleases(rule) && !IsLikeThatOfRule(table, rule)).ToList();
        return rules
            .GroupBy(rule => Highest(rules, rule))
            .Select(field => (Field: field.Key, Result: ResultOf(field.First()), Note: Notes(field.Key, field)))
            .GroupBy(row => (row.Result, row.Note))
            .OrderBy(group => Array.IndexOf(Results, group.Key.Result))
            .ThenBy(group => group.Key.Note.Length > 0)
            .Select(group =>
                (string.Join(", ", group.Select(row => Name(row.Field))), group.Key.Result, ReferencePage.Cell(group.Key.Note))
            );
    }

    private static readonly string[] Results = ["kept", "rejected", "ignored"];

    // Kept fields that the definitions of the standard channel do not have.
    private static readonly string[] Experimental = ["spec.rules.retry", "spec.rules.sessionPersistence"];

    // The highest field above it, below which all fields have the same result; for other results than kept, with the same note.
    private static string Highest(IReadOnlyList<FieldRule> rules, FieldRule rule)
    {
        var names = rule.Path.Split('.');
        return Enumerable
            .Range(2, names.Length - 2)
            .Select(length => string.Join('.', names[..length]))
            .FirstOrDefault(
                prefix =>
                    rules
                        .Where(r => r.Path.StartsWith($"{prefix}.", StringComparison.Ordinal))
                        .All(r => ResultOf(r) == ResultOf(rule) && (ResultOf(r) == "kept" || NoteOf(r) == NoteOf(rule))),
                rule.Path
            );
    }

    private static string Name(string field) =>
        field.EndsWith(".*", StringComparison.Ordinal) ? $"other fields of `{field["spec.".Length..^2]}`" : $"`{field["spec.".Length..]}`";

    private static string Notes(string field, IEnumerable<FieldRule> rules) =>
        string.Join(
            " ",
            Experimental
                .Where(experimental => experimental == field)
                .Select(_ => "Only in the experimental channel.")
                .Concat(NotesBelow(field, rules))
        );

    // With the names of the fields below, if the notes are not about the field itself.
    private static IEnumerable<string> NotesBelow(string field, IEnumerable<FieldRule> rules) =>
        rules
            .Select(rule => (Name: rule.Path[field.Length..].TrimStart('.'), Note: NoteOf(rule)))
            .Where(rule => rule.Note.Length > 0)
            .GroupBy(rule => rule.Note)
            .Select(group => (group.Key, Names: string.Join(", ", group.Select(rule => $"`{rule.Name}`")), group.First().Name))
            .Select(group =>
                group.Name.Length == 0 || ResultOf(rules.First()) != "kept"
                    ? group.Key
                    : $"{group.Names}: {char.ToLowerInvariant(group.Key[0])}{group.Key[1..]}"
            );

    private static bool IsLikeThatOfRule(FieldTable table, FieldRule rule) =>
        rule.Path.StartsWith("spec.rules.backendRefs.filters.", StringComparison.Ordinal)
        && table.RuleOf(rule.Path.Replace(".backendRefs.", ".", StringComparison.Ordinal)) is { } other
        && other.Decision == rule.Decision
        && other.Note == rule.Note;

    private static bool IsListener(FieldRule rule) => rule.Note.StartsWith("Removed with the listeners", StringComparison.Ordinal);

    private static string ResultOf(FieldRule rule) =>
        rule.Decision switch
        {
            FieldDecision.Ignored => "ignored",
            FieldDecision.Rejected => "rejected",
            _ when IsListener(rule) => "rejected",
            _ => "kept",
        };

    // How the management cluster replaces a value is not of interest here.
    private static string NoteOf(FieldRule rule)
    {
        var note =
            IsListener(rule) ? "The listeners to which it applies are not served, because client certificates are not validated"
            : rule.Decision == FieldDecision.Rewritten ? ""
            : rule.Note.TrimEnd('.');
        return note.Length == 0 ? "" : $"{char.ToUpperInvariant(note[0])}{note[1..]}.";
    }

    // fields.md has them.
    private static bool IsOfEarlierReleases(FieldRule rule) =>
        rule.Path is "spec.listeners.tls.frontendValidation" or "spec.backendTLS"
        || rule.Path.EndsWith(".sessionName", StringComparison.Ordinal)
        || rule.Path.EndsWith(".sessionPersistence.idleTimeout", StringComparison.Ordinal)
        || rule.Path.Contains(".cookieConfig.", StringComparison.Ordinal);
}
