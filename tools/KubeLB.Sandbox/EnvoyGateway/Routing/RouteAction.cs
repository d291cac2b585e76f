using KubeLB.Api.GatewayApi;

namespace KubeLB.Sandbox.EnvoyGateway.Routing;

/// <summary>A backend of a rule.</summary>
/// <param name="Namespace">Namespace of the Service.</param>
/// <param name="Service">Name of the Service.</param>
/// <param name="Port">Port of the Service.</param>
/// <param name="Weight">Share of requests.</param>
/// <param name="IsValid">False if the reference does not resolve: its share is answered with 500.</param>
/// <param name="Filters">Filters for this backend.</param>
internal sealed record BackendTarget(
    string Namespace,
    string Service,
    int Port,
    int Weight,
    bool IsValid,
    IReadOnlyList<RouteFilter> Filters
);

/// <summary>What happens to a request that a rule matches.</summary>
internal sealed record RouteAction
{
    /// <summary>Filters of the rule.</summary>
    public IReadOnlyList<RouteFilter> Filters { get; init; } = [];

    /// <summary>Where requests go.</summary>
    public IReadOnlyList<BackendTarget> Backends { get; init; } = [];

    /// <summary>Copies of requests go here.</summary>
    public IReadOnlyList<(BackendTarget Target, int Percent)> Mirrors { get; init; } = [];

    /// <summary>Time for the whole request; null for no limit.</summary>
    public TimeSpan? RequestTimeout { get; init; }

    /// <summary>Time for the backend; null for no limit.</summary>
    public TimeSpan? BackendTimeout { get; init; }

    /// <summary>When requests are tried again; null for never.</summary>
    public RetryRule? Retry { get; init; }

    /// <summary>Whether backends are spoken to in HTTP/2.</summary>
    public bool IsGrpc { get; init; }

    /// <summary>The backend for a draw from 0 (inclusive) to 1 (exclusive); null if no backend has weight.</summary>
    public BackendTarget? Choose(double draw)
    {
        var total = Backends.Sum(b => b.Weight);
        var point = draw * total;
        foreach (var backend in Backends)
        {
            point -= backend.Weight;
            if (point < 0)
            {
                return backend;
            }
        }

        return null;
    }
}
