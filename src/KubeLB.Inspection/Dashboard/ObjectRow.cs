using KubeLB.Inspection.Tracing;

namespace KubeLB.Inspection.Dashboard;

/// <summary>An object in the list.</summary>
/// <param name="Id">Identifies the row.</param>
/// <param name="Tenant">Name of the tenant; null if it is not known.</param>
/// <param name="Kind">HTTPRoute, GRPCRoute, Gateway, Tenant; Route if a Route does not say which object it was copied from.</param>
/// <param name="Namespace">Namespace of the tenant's object.</param>
/// <param name="Name">Name of the tenant's object.</param>
/// <param name="State">The state, from the conditions.</param>
internal sealed record ObjectRow(string Id, string? Tenant, string Kind, string Namespace, string Name, HopState State)
{
    /// <summary>The hostnames, separated by commas.</summary>
    public string Hostnames { get; init; } = "";

    /// <summary>The reason of the condition; null if there is no problem.</summary>
    public string? Reason { get; init; }

    /// <summary>The message of the condition; null if there is no problem.</summary>
    public string? Message { get; init; }

    /// <summary>When it was created, in UTC.</summary>
    public DateTimeOffset? Created { get; init; }
}

/// <summary>Identifies an object that a user selects.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Namespace">The namespace.</param>
/// <param name="Name">The name.</param>
/// <param name="Tenant">Name of the tenant; null if it is not known.</param>
internal sealed record ObjectSelection(string Kind, string Namespace, string Name, string? Tenant);
