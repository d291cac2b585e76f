using System.Text.Json;
using System.Text.RegularExpressions;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>
/// Describes why JSON cannot be read, for a tenant: the field and the JSON type that it must have. The messages of the JSON library name
/// types of the program instead.
/// </summary>
internal static partial class JsonProblem
{
    /// <summary>The problem, without a period at its end.</summary>
    public static string Describe(Exception error)
    {
        var path = error is JsonException { Path: { } text } ? text.TrimStart('$').TrimStart('.') : "";
        var type = TypeIn(error.Message);
        return (path.Length > 0, type) switch
        {
            (true, null) => $"{path} has the wrong type",
            (true, _) => $"{path} must be {type}",
            (false, null) => TypeName().IsMatch(error.Message) ? "it has the wrong type" : error.Message,
            (false, _) => $"it must be {type}",
        };
    }

    // "The JSON value could not be converted to System.Int32." and "The node must be of type 'JsonArray'."
    private static string? TypeIn(string message) =>
        Target().Match(message) is not { Success: true, Groups: var groups } ? null
        : groups["node"] is { Success: true } node
            ? node.Value == "Array" ? "an array"
                : "an object"
        : ArrayType().IsMatch(groups["type"].Value) ? "an array"
        : Nullable().Replace(groups["type"].Value, "$1") switch
        {
            "System.String" => "a string",
            "System.Boolean" => "true or false",
            "System.Int32" or "System.Int64" or "System.Double" => "a number",
            "System.DateTime" or "System.DateTimeOffset" => "a time such as 2026-01-31T12:00:00Z",
            var type when type.StartsWith("System.Collections.", StringComparison.Ordinal) => "an object",
            var type when type.StartsWith("KubeLB.", StringComparison.Ordinal) => "an object",
            "k8s.Models.V1ObjectMeta" => "an object",
            _ => null,
        };

    [GeneratedRegex(@"converted to '?(?<type>[^' ]+?)'?\.( |\z)|of type 'Json(?<node>Array|Object)'", RegexOptions.CultureInvariant)]
    private static partial Regex Target();

    [GeneratedRegex(@"^System\.Collections\.Generic\.I?(List|ReadOnlyList|Collection|Enumerable)`1|\[\]\z", RegexOptions.CultureInvariant)]
    private static partial Regex ArrayType();

    [GeneratedRegex(@"^System\.Nullable`1\[(.+)\]\z", RegexOptions.CultureInvariant)]
    private static partial Regex Nullable();

    [GeneratedRegex(@"System\.|Json[A-Z]|KubeLB\.|k8s\.|`\d", RegexOptions.CultureInvariant)]
    private static partial Regex TypeName();
}
