using System.Text.Json.Nodes;

namespace KubeLB.Translation.Fields;

/// <summary>
/// Finds the listeners that would require client certificates. Their validation is not supported, so they are not served: a listener
/// without the validation would let every client in.
/// </summary>
/// <remarks>
/// GEP-91: <c>spec.tls.frontend.default</c> applies to all HTTPS listeners, unless <c>perPort</c> has an entry for their port. Until
/// Gateway API 1.3 the field was <c>tls.frontendValidation</c> of a listener.
/// </remarks>
internal static class FrontendValidation
{
    /// <summary>The indexes of the listeners concerned.</summary>
    /// <param name="spec">The tenant's spec of a Gateway, unfiltered.</param>
    public static IReadOnlySet<int> ListenersOf(JsonNode? spec)
    {
        var frontend = Field(Field(spec, "tls"), "frontend");
        var perPort = (Field(frontend, "perPort") as JsonArray ?? [])
            .Where(entry => Field(entry, "port") is JsonValue)
            .GroupBy(entry => $"{Field(entry, "port")}", StringComparer.Ordinal)
            .ToDictionary(entries => entries.Key, entries => entries.Any(e => IsValidated(Field(e, "tls"))), StringComparer.Ordinal);
        var isDefault = IsValidated(Field(frontend, "default"));
        var listeners = Field(spec, "listeners") as JsonArray ?? [];
        return Enumerable
            .Range(0, listeners.Count)
            .Where(i =>
                Field(Field(listeners[i], "tls"), "frontendValidation") is not null
                || (
                    $"{Field(listeners[i], "protocol")}" != "HTTP"
                    && (perPort.TryGetValue($"{Field(listeners[i], "port")}", out var isValidated) ? isValidated : isDefault)
                )
            )
            .ToHashSet();
    }

    // An entry whose validation is of an unknown form counts as one that asks for it.
    private static bool IsValidated(JsonNode? tls) => tls is not null && (tls is not JsonObject || Field(tls, "validation") is not null);

    private static JsonNode? Field(JsonNode? json, string name) => (json as JsonObject)?[name];
}
