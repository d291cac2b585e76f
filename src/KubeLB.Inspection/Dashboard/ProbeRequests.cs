using System.Globalization;
using KubeLB.Api.GatewayApi;
using KubeLB.Inspection.Access;
using KubeLB.Inspection.Tracing;

namespace KubeLB.Inspection.Dashboard;

/// <summary>A request that a user sends from the page.</summary>
internal sealed record ProbeBody
{
    /// <summary>The selected object.</summary>
    public required ObjectSelection Selection { get; init; }

    /// <summary>The address that the page showed: no request is sent to another one.</summary>
    public required string Address { get; init; }

    /// <summary>The method.</summary>
    public string Method { get; init; } = "GET";

    /// <summary>The hostname; null for that of the route.</summary>
    public string? Hostname { get; init; }

    /// <summary>Path and query; null for those of the route.</summary>
    public string? Path { get; init; }

    /// <summary>The headers.</summary>
    public IReadOnlyList<ProbeHeader> Headers { get; init; } = [];
}

/// <summary>A header of a request.</summary>
internal sealed record ProbeHeader(string Name, string Value);

/// <summary>The result of a request.</summary>
/// <param name="Hop">Status, duration and what it means.</param>
/// <param name="End">The box of the drawing where it ended; null if that is not known.</param>
internal sealed record ProbeResult(Hop Hop, string? End);

/// <summary>Sends requests through a Gateway.</summary>
internal sealed class ProbeRequests(DashboardOptions options, DashboardClusters clusters, TraceViews traces) : IDisposable
{
    private const int MaxConcurrent = 4;
    private const int MaxHeaders = 32;
    private const int MaxText = 4096;

    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

    private readonly SemaphoreSlim _slots = new(MaxConcurrent);

    /// <summary>Sends a request.</summary>
    /// <exception cref="InspectionException">It cannot be sent.</exception>
    public async Task<ProbeResult> SendAsync(ProbeBody body, CancellationToken cancellationToken)
    {
        var trace = traces.Trace(body.Selection)[0];
        var endpoint = trace.Endpoint ?? throw new InspectionException("No Gateway on the path has an address.");
        if (body.Address != AddressOf(endpoint))
        {
            throw new InspectionException(
                $"The address of the Gateway is now {AddressOf(endpoint)}. Check it, and send the request again."
            );
        }

        if (GeneratedAddresses(trace) is { } generated && !generated.Contains(endpoint.Address))
        {
            // A tenant can write any address into the status of its Gateway, also one that only the administrator's machine can reach.
            throw new InspectionException(
                $"No request was sent: {endpoint.Address} is not an address of the Gateway in the management cluster. Check who "
                    + "changed the status of the tenant's Gateway."
            );
        }

        var url = Validate(body, endpoint);
        if (!await _slots.WaitAsync(0, cancellationToken).ConfigureAwait(false))
        {
            throw new InspectionException($"{MaxConcurrent} requests are being sent. Wait for their responses.");
        }

        try
        {
            var request = new ProbeRequest(body.Method, [.. body.Headers.Select(h => (h.Name, h.Value))])
            {
                Resolve = options.ResolveGateway,
            };
            var hop = await Probe.SendAsync(trace, url, request, cancellationToken).ConfigureAwait(false);
            return new ProbeResult(hop, EndOf(hop));
        }
        finally
        {
            _slots.Release();
        }
    }

    /// <inheritdoc />
    public void Dispose() => _slots.Dispose();

    /// <summary>The address of an endpoint, as pages show it.</summary>
    public static string AddressOf(TraceEndpoint endpoint) => $"{endpoint.Address}:{endpoint.Port.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>The box of the drawing where a request ended; null if that is not known.</summary>
    internal static string? EndOf(Hop hop) =>
        hop.End switch
        {
            ProbeEnd.Client => PathDrawing.Client,
            ProbeEnd.Proxy => PathDrawing.Proxies,
            ProbeEnd.Pod => PathDrawing.Pods,
            _ => null,
        };

    // Null without a kubeconfig of the management cluster.
    private List<string>? GeneratedAddresses(Trace trace)
    {
        if (clusters.Management is not { } management)
        {
            return null;
        }

        var gateways = trace
            .Hops.SelectMany(h => h.WithParts())
            .Select(h => h.Subject)
            .Where(s => s is { Cluster: "management", Kind: Gateway.KindName })
            .Select(s => management.Get<Gateway>(s!.Namespace, s.Name))
            .ToList();
        return gateways.Exists(g => g.Unreadable is not null)
            ? throw new InspectionException("No request was sent: the Gateways of the management cluster cannot be read.")
            : [.. gateways.SelectMany(g => g.Value?.Status?.Addresses ?? []).Select(a => a.Value).OfType<string>()];
    }

    private static Uri Validate(ProbeBody body, TraceEndpoint endpoint)
    {
        if (!Methods.Contains(body.Method))
        {
            throw new InspectionException($"Unknown method; use one of {string.Join(", ", Methods)}.");
        }

        var path = body.Path is { Length: > 0 } given ? given : endpoint.Path;
        if (path[0] != '/' || path.Length > MaxText || path.Any(char.IsControl))
        {
            throw new InspectionException("Invalid path; write /PATH, at most 4096 characters.");
        }

        if (
            body.Headers.Count > MaxHeaders
            || body.Headers.Any(h =>
                h.Name.Length is 0 or > 256
                || !h.Name.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal))
                || h.Value.Length > MaxText
                || h.Value.Any(c => c is not '\t' and (< ' ' or > '~'))
            )
        )
        {
            throw new InspectionException($"Invalid header; write NAME: VALUE in ASCII, at most {MaxHeaders} lines.");
        }

        var hostname = body.Hostname is { Length: > 0 } named ? named : endpoint.Hostname;
        return
            Uri.CheckHostName(hostname) is UriHostNameType.Dns or UriHostNameType.IPv4
            && Uri.TryCreate($"{endpoint.Scheme}://{hostname}{path}", UriKind.Absolute, out var url)
            ? url
            : throw new InspectionException("Invalid hostname.");
    }
}
