using KubeLB.Api.Messages;
using KubeLB.Inspection.Tracing;

namespace KubeLB.Inspection.Dashboard;

/// <summary>A box of the drawing.</summary>
/// <param name="Key">Identifies the box: <c>client</c>, <c>gateway</c>, <c>proxies</c>, <c>nodes</c>, <c>pods</c> and others.</param>
/// <param name="Title">Its title.</param>
/// <param name="State">The worst state of its hops.</param>
/// <param name="Detail">Facts.</param>
internal sealed record Box(string Key, string Title, HopState State, string Detail);

/// <summary>A trace as two rows of boxes: what a request passes, and what its configuration passes.</summary>
/// <param name="Data">From the client to the pods.</param>
/// <param name="Configuration">From the tenant's object to Envoy Gateway.</param>
internal sealed record PathDrawing(IReadOnlyList<Box> Data, IReadOnlyList<Box> Configuration)
{
    /// <summary>Box of the client.</summary>
    public const string Client = "client";

    /// <summary>Box of the Gateway, which Envoy Gateway serves.</summary>
    public const string Gateway = "gateway";

    /// <summary>Box of the tenant's proxies.</summary>
    public const string Proxies = "proxies";

    /// <summary>Box of the nodes of the tenant's cluster.</summary>
    public const string Nodes = "nodes";

    /// <summary>Box of the pods.</summary>
    public const string Pods = "pods";

    private const int MaxDetail = 300;

    /// <summary>Draws a trace.</summary>
    public static PathDrawing Of(Trace trace)
    {
        var hops = trace.Hops;
        var source = hops.Where(h => h.Title == trace.Target.ToString()).ToList();
        var copy = hops.Where(h => h.Title == "Route" || h.Subject is { Kind: "Route", Cluster: "management" }).ToList();
        var generated = Named(hops, "Generated objects");
        var envoyGateway = Named(hops, "Envoy Gateway");
        var gateways = Named(hops, "Gateways", "Rule");
        var isGateway = trace.Target.Kind == "Gateway";
        var endpoint = trace.Endpoint;
        var backends = Named(hops, "Backends");
        var nodePorts = backends.SelectMany(h => h.WithParts()).Where(h => h.Title == "Node port").ToList();
        var data = new List<Box>
        {
            new(
                Client,
                "Client",
                HopState.Ok,
                endpoint is null ? "" : MessageText.Message($"{endpoint.Scheme}://{endpoint.Hostname}{endpoint.Path}", MaxDetail)
            ),
            Of(
                Gateway,
                "Gateway",
                [.. isGateway ? source : gateways, .. copy, .. generated, .. envoyGateway],
                endpoint is not null
                    ? $"{endpoint.Address}:{endpoint.Port}"
                    : Details(isGateway ? source : gateways.SelectMany(g => g.Parts))
            ),
            Of(Proxies, "Tenant proxies", Named(hops, "Tenant proxies"), Details(Named(hops, "Tenant proxies"))),
        };
        if (!isGateway)
        {
            var nodes = Named(hops, "Nodes of the tenant");
            var ports = nodePorts.Select(p => p.Detail?.Split(' ')[0]).OfType<string>().Distinct(StringComparer.Ordinal).ToList();
            data.Add(
                Of(
                    Nodes,
                    "Nodes",
                    [.. nodes, .. nodePorts],
                    Details(nodes)
                        + (ports.Count == 0 ? "" : $", node port {string.Join(", ", ports.Take(3))}{(ports.Count > 3 ? ", …" : "")}")
                )
            );
            data.Add(
                Of(
                    Pods,
                    "Pods",
                    [.. backends.SelectMany(b => b.Parts.Count == 0 ? [b] : b.Parts.SelectMany(WithoutNodePorts))],
                    Details(backends.SelectMany(h => h.WithParts()).Where(h => h.Title == "Endpoints"))
                )
            );
        }

        return new PathDrawing(
            data,
            [
                Of("source", trace.Target.Kind, source, $"{trace.Target.Namespace}/{trace.Target.Name}"),
                Of("copy", "Route", copy, Details(copy)),
                .. isGateway ? [] : new[] { Of("generated", "Generated objects", generated, Count(generated)) },
                Of("envoyGateway", "Envoy Gateway", envoyGateway, Details(envoyGateway.SelectMany(h => h.Parts))),
            ]
        );
    }

    private static IEnumerable<Hop> WithoutNodePorts(Hop backend) =>
        backend.Parts.Count == 0 ? [backend] : backend.Parts.Where(p => p.Title != "Node port");

    private static List<Hop> Named(IEnumerable<Hop> hops, params string[] titles) => [.. hops.Where(h => titles.Contains(h.Title))];

    private static Box Of(string key, string title, List<Hop> hops, string detail) =>
        new(key, title, hops.Count == 0 ? HopState.Unseen : Hop.Of(title, hops).State, MessageText.Message(detail, MaxDetail));

    private static string Details(IEnumerable<Hop> hops) =>
        string.Join("; ", hops.Select(h => h.Detail).Where(d => d is { Length: > 0 }).Distinct(StringComparer.Ordinal).Take(3));

    private static string Count(List<Hop> hops) =>
        hops.Sum(h => h.Parts.Count) is > 0 and var count ? $"{count} object{(count == 1 ? "" : "s")}" : "";
}
