using System.Globalization;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Tables;

/// <summary>A column of a <c>Table</c>, as <c>kubectl get</c> shows it.</summary>
internal sealed record TableColumn(string Name, string Type = "string", string Format = "", string Description = "", int Priority = 0);

/// <summary>How a resource is printed.</summary>
internal interface ITableFormat
{
    IReadOnlyList<TableColumn> Columns { get; }

    /// <summary>The cells of one object's row.</summary>
    IEnumerable<JsonNode?> Cells(JsonObject tree, DateTimeOffset now);
}

/// <summary>A format given as pairs of a column and how to read its cell.</summary>
internal sealed class TableFormat : ITableFormat
{
    private readonly List<Func<JsonObject, DateTimeOffset, JsonNode?>> _cells = [];
    private readonly List<TableColumn> _columns = [];

    public IReadOnlyList<TableColumn> Columns => _columns;

    /// <summary>Objects that have no columns of their own.</summary>
    public static TableFormat NameAndCreation { get; } = new TableFormat().Name().Created();

    /// <summary>Objects with a name and an age.</summary>
    public static TableFormat NameAndAge { get; } = new TableFormat().Name().Age();

    public IEnumerable<JsonNode?> Cells(JsonObject tree, DateTimeOffset now) => _cells.Select(cell => cell(tree, now));

    public TableFormat Column(string name, Func<JsonObject, DateTimeOffset, JsonNode?> cell, string type = "string", int priority = 0, string format = "")
    {
        _columns.Add(new TableColumn(name, type, format, Describe(name), priority));
        _cells.Add(cell);
        return this;
    }

    public TableFormat Text(string name, Func<JsonObject, string?> cell, int priority = 0) =>
        Column(name, (tree, _) => cell(tree) ?? "<none>", priority: priority);

    public TableFormat Integer(string name, Func<JsonObject, long?> cell, int priority = 0) =>
        Column(name, (tree, _) => cell(tree) ?? 0, "integer", priority);

    public TableFormat Name() => Column("Name", (tree, _) => tree.Object("metadata").Text("name"), format: "name");

    public TableFormat Age() => Column("Age", (tree, now) => Durations.Since(tree.Object("metadata").Text("creationTimestamp"), now));

    public TableFormat Created() => Column("Created At", (tree, _) => tree.Object("metadata").Text("creationTimestamp"));

    private static string Describe(string name) => name switch
    {
        "Name" => "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names",
        "Age" or "Created At" => "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.",
        _ => "",
    };
}

/// <summary>Durations as kubectl prints them.</summary>
internal static class Durations
{
    /// <summary>Time since an RFC 3339 timestamp; <c>&lt;unknown&gt;</c> when there is none.</summary>
    public static string Since(string? timestamp, DateTimeOffset now) =>
        DateTimeOffset.TryParse(timestamp, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? Human(now - time) : "<unknown>";

    /// <summary>A duration in its two largest units, coarser the longer it is (apimachinery's <c>HumanDuration</c>).</summary>
    public static string Human(TimeSpan span)
    {
        var seconds = (long)span.TotalSeconds;
        if (seconds < -1)
        {
            return "<invalid>";
        }
        if (seconds < 0)
        {
            return "0s";
        }
        if (seconds < 120)
        {
            return $"{seconds}s";
        }
        var minutes = seconds / 60;
        if (minutes < 10)
        {
            return seconds % 60 == 0 ? $"{minutes}m" : $"{minutes}m{seconds % 60}s";
        }
        if (minutes < 180)
        {
            return $"{minutes}m";
        }
        var hours = minutes / 60;
        if (hours < 8)
        {
            return minutes % 60 == 0 ? $"{hours}h" : $"{hours}h{minutes % 60}m";
        }
        if (hours < 48)
        {
            return $"{hours}h";
        }
        if (hours < 24 * 8)
        {
            return hours % 24 == 0 ? $"{hours / 24}d" : $"{hours / 24}d{hours % 24}h";
        }
        if (hours < 24 * 365 * 2)
        {
            return $"{hours / 24}d";
        }
        var years = hours / 24 / 365;
        var days = hours / 24 % 365;
        return years < 8 && days > 0 ? $"{years}y{days}d" : $"{years}y";
    }
}
