using System.Text.Json.Serialization;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Inspection.Tracing;

/// <summary>The state of a hop.</summary>
public enum HopState
{
    /// <summary>Works.</summary>
    Ok,

    /// <summary>Under way: a change was not processed yet.</summary>
    Waiting,

    /// <summary>Works, but something is ignored or degraded.</summary>
    Warning,

    /// <summary>Requests do not get past this hop.</summary>
    Broken,

    /// <summary>Could not be read.</summary>
    Unseen,
}

/// <summary>An object of a hop.</summary>
/// <param name="Cluster"><c>tenant</c> or <c>management</c>.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Namespace">Its namespace; empty if it is cluster-scoped.</param>
/// <param name="Name">Its name.</param>
public sealed record HopObject(string Cluster, string Kind, string Namespace, string Name)
{
    /// <summary>When it was created, in UTC; null if it does not exist or is not readable.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <inheritdoc />
    public override string ToString() => Namespace.Length == 0 ? $"{Kind} {Name}" : $"{Kind} {Namespace}/{Name}";
}

/// <summary>One hop on the path from the client to the pods, or a part of one.</summary>
/// <param name="Title">What it is, for example <c>Backends</c>; of a part, the object's kind and name.</param>
/// <param name="State">The state; that of a hop with parts is the worst of them.</param>
public sealed record Hop(string Title, HopState State)
{
    /// <summary>The object; null if there is none.</summary>
    public HopObject? Subject { get; init; }

    /// <summary>Facts, for example <c>2 ready endpoints</c>; null if there are none.</summary>
    public string? Detail { get; init; }

    /// <summary>The reason of the condition; null if there is no problem.</summary>
    public string? Reason { get; init; }

    /// <summary>The problem and the remedy, in the words of the conditions; null if there is no problem.</summary>
    public string? Message { get; init; }

    /// <summary>Whether it is a condition that a controller reported, not a judgement of this machine.</summary>
    [JsonIgnore]
    public bool IsReported { get; init; }

    /// <summary>Where a request ended; null if it is not known, or the hop is no request.</summary>
    public ProbeEnd? End { get; init; }

    /// <summary>The parts.</summary>
    public IReadOnlyList<Hop> Parts { get; init; } = [];

    /// <summary>This hop and its parts, depth first.</summary>
    public IEnumerable<Hop> WithParts() => Parts.SelectMany(p => p.WithParts()).Prepend(this);

    /// <summary>A hop with parts, whose state is that of the worst.</summary>
    public static Hop Of(string title, IReadOnlyList<Hop> parts, string? detail = null) =>
        new(title, parts.Select(p => p.State).DefaultIfEmpty(HopState.Ok).MaxBy(Severity)) { Parts = parts, Detail = detail };

    // A part that cannot be read hides no problem of another one.
    private static int Severity(HopState state) =>
        state switch
        {
            HopState.Broken => 4,
            HopState.Waiting => 3,
            HopState.Warning => 2,
            HopState.Unseen => 1,
            _ => 0,
        };
}

/// <summary>The path of the requests of one object, hop by hop from the client to the pods.</summary>
/// <param name="Target">The traced object.</param>
/// <param name="Hops">The hops in the order of the path.</param>
public sealed record Trace(HopObject Target, IReadOnlyList<Hop> Hops)
{
    /// <summary>The tenant; null if it is not known.</summary>
    public string? Tenant { get; init; }

    /// <summary>Why a request has no path, as a clause; null if it has one.</summary>
    [JsonIgnore]
    public string? NoPathBecause { get; init; }

    /// <summary>Where a client sends requests; null if no Gateway on the path has an address.</summary>
    public TraceEndpoint? Endpoint { get; init; }

    /// <summary>What is assumed of the CCM because its flags are not known; null if they are, or nothing was judged.</summary>
    public string? Assumption { get; init; }

    /// <summary>
    /// The hop that stops requests: the first that is <see cref="HopState.Broken"/>, else the first that is
    /// <see cref="HopState.Waiting"/>; null if there is none.
    /// </summary>
    public Hop? Break => Find(HopState.Broken) ?? Find(HopState.Waiting);

    /// <summary>The first <see cref="HopState.Warning"/>, if nothing stops requests; null if there is none.</summary>
    public Hop? Warning => Break is null ? Find(HopState.Warning) : null;

    /// <summary>
    /// The condition of the Config or the Tenant with the reason of <see cref="Break"/>, or that Envoy Gateway does not respond: the cause
    /// as it is reported to the administrator. Null if there is none.
    /// </summary>
    public Hop? Cause =>
        Break is { Reason: not null } stop
            ? Hops.SelectMany(h => h.WithParts())
                .LastOrDefault(h =>
                    (h.Reason == stop.Reason || (stop.State == HopState.Waiting && h.Reason == SettingsConditions.NotResponding))
                    && !ReferenceEquals(h, stop)
                    && (h.Title.StartsWith("Config ", StringComparison.Ordinal) || h.Title.StartsWith("Tenant ", StringComparison.Ordinal))
                )
            : null;

    /// <summary>What could not be read, each once.</summary>
    public IReadOnlyList<string> Unseen =>
        [
            .. Hops.SelectMany(h => h.WithParts())
                .Where(h => h is { State: HopState.Unseen, Message: not null })
                .Select(h => h.Message!)
                .Distinct(StringComparer.Ordinal),
        ];

    private Hop? Find(HopState state) => Hops.SelectMany(h => h.WithParts()).FirstOrDefault(h => h.State == state && h.Message is not null);
}

/// <summary>Where a client sends requests of a route.</summary>
/// <param name="Scheme"><c>http</c> or <c>https</c>.</param>
/// <param name="Address">Address of the Gateway.</param>
/// <param name="Port">Port of the listener.</param>
/// <param name="Hostname">A hostname of the route.</param>
/// <param name="Path">A path that a rule matches.</param>
public sealed record TraceEndpoint(string Scheme, string Address, int Port, string Hostname, string Path);
