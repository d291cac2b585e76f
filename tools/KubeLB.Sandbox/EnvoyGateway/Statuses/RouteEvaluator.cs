using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.EnvoyGateway.Routing;

namespace KubeLB.Sandbox.EnvoyGateway.Statuses;

/// <summary>Evaluates routes, with Envoy Gateway's messages: attachment and rules. Pure.</summary>
internal static class RouteEvaluator
{
    /// <summary>Evaluates a route.</summary>
    /// <param name="route">The route.</param>
    /// <param name="kind">Its kind.</param>
    /// <param name="gateway">Evaluates a Gateway; null for a missing Gateway or one of another controller.</param>
    /// <param name="view">The cluster objects.</param>
    public static RouteEvaluation Evaluate(
        IGatewayRoute route,
        string kind,
        Func<ResourceKey, GatewayEvaluation?> gateway,
        IClusterView view
    )
    {
        var rules = RuleEvaluator.Evaluate(route, kind, view);
        var parents = new List<ParentEvaluation>();
        foreach (var parent in route.ParentRefs)
        {
            if (parent.Group is not (null or ApiGroups.GatewayApi) || parent.Kind is not (null or Gateway.KindName))
            {
                continue;
            }

            var key = GatewayOf(route, parent);
            if (gateway(key) is { Rejection: null } evaluation)
            {
                parents.Add(Evaluate(route, kind, parent, evaluation, rules, view));
            }
        }

        return new RouteEvaluation(route, parents, rules);
    }

    /// <summary>The Gateway of a parentRef.</summary>
    public static ResourceKey GatewayOf(IGatewayRoute route, ParentReference parent) =>
        new(parent.Namespace ?? route.Metadata.NamespaceProperty ?? "", parent.Name);

    private static ParentEvaluation Evaluate(
        IGatewayRoute route,
        string kind,
        ParentReference parent,
        GatewayEvaluation gateway,
        IReadOnlyList<RuleEvaluation> rules,
        IClusterView view
    )
    {
        var findings = new List<Finding>();
        var selected = gateway
            .Listeners.Where(l => parent.SectionName is null || l.Listener.Name == parent.SectionName)
            .Where(l => parent.Port is null || l.Listener.Port == parent.Port)
            .ToList();
        var allowed = selected
            .Where(l => l.SupportedKinds.Contains(kind) && AllowsNamespace(l.Listener, gateway.Gateway, route, view))
            .ToList();
        var attachments = allowed.Select(l => new Attachment(gateway.Key, l.Listener.Name, CommonHostnames(l.Listener, route))).ToList();

        if (selected.Count == 0)
        {
            findings.Add(NotAccepted(GatewayConditions.NoMatchingParent, "No listeners match this parent ref"));
        }
        else if (allowed.Count == 0)
        {
            findings.Add(
                NotAccepted(GatewayConditions.NotAllowedByListeners, "No listeners included by this parent ref allowed this attachment.")
            );
        }
        else
        {
            AddAcceptance(kind, rules, attachments, findings);
        }

        AddReferences(rules, allowed.Count > 0, findings);
        return new ParentEvaluation(parent, findings, [.. attachments.Where(a => a.Hostnames.Count > 0)]);
    }

    private static void AddAcceptance(
        string kind,
        IReadOnlyList<RuleEvaluation> rules,
        List<Attachment> attachments,
        List<Finding> findings
    )
    {
        var failed = rules.Where(r => r.Error is not null).ToList();
        if (failed.Count > 0 && failed.Count == rules.Count)
        {
            findings.Add(NotAccepted(GatewayConditions.UnsupportedValue, MessageOf(failed[0])));
        }
        else if (attachments.All(a => a.Hostnames.Count == 0))
        {
            findings.Add(
                NotAccepted(
                    GatewayConditions.NoMatchingListenerHostname,
                    $"There were no hostname intersections between the {kind} and this parent ref's Listener(s)."
                )
            );
        }
        else
        {
            findings.Add(new Finding(GatewayConditions.Accepted, true, "Accepted", "Route is accepted"));
            if (failed.Count > 0)
            {
                findings.Add(
                    new Finding(
                        GatewayConditions.PartiallyInvalid,
                        true,
                        GatewayConditions.UnsupportedValue,
                        $"Dropped Rule(s) [{string.Join(", ", failed.Select(f => f.Index))}]: {string.Join("\n", failed.Select(MessageOf))}"
                    )
                );
            }
        }
    }

    private static void AddReferences(IReadOnlyList<RuleEvaluation> rules, bool attached, List<Finding> findings)
    {
        var errors = rules.SelectMany(r => r.RefErrors).ToList();
        if (attached && rules.SelectMany(r => r.EndpointErrors).FirstOrDefault() is { } missing)
        {
            findings.Add(new Finding("BackendsAvailable", false, "EndpointsNotFound", missing));
        }

        findings.Add(
            attached && errors.Count > 0
                ? new Finding(GatewayConditions.ResolvedRefs, false, errors[0].Reason, string.Join("\n", errors.Select(e => e.Message)))
                : new Finding(GatewayConditions.ResolvedRefs, true, "ResolvedRefs", "Resolved all the Object references for the Route")
        );
    }

    private static string MessageOf(RuleEvaluation rule) =>
        rule.Error!.FromMatch ? $"Failed to process route rule {rule.Index}: {rule.Error.Message}" : rule.Error.Message;

    private static List<string> CommonHostnames(Listener listener, IGatewayRoute route)
    {
        var names = route.Hostnames.Count == 0 ? [""] : route.Hostnames;
        return
        [
            .. names
                .Select(name => Hostnames.Intersect(listener.Hostname ?? "", name))
                .OfType<string>()
                .Distinct(StringComparer.OrdinalIgnoreCase),
        ];
    }

    private static bool AllowsNamespace(Listener listener, Gateway gateway, IGatewayRoute route, IClusterView view)
    {
        var routeNamespace = route.Metadata.NamespaceProperty ?? "";
        var namespaces = listener.AllowedRoutes?.Namespaces;
        return (namespaces?.From ?? "Same") switch
        {
            "All" => true,
            "Same" => routeNamespace == gateway.Namespace,
            "Selector" => namespaces?.Selector is { } selector && LabelSelectors.Matches(selector, view.NamespaceLabels(routeNamespace)),
            _ => false,
        };
    }

    private static Finding NotAccepted(string reason, string message) => new(GatewayConditions.Accepted, false, reason, message);
}
