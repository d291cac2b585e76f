using KubeLB.EmbeddedCluster.Errors;

namespace KubeLB.EmbeddedCluster.Selectors;

internal sealed record FieldRequirement(string Field, bool Equal, string Value);

/// <summary>A parsed field selector: <c>field=value</c>, <c>field!=value</c>, joined by commas.</summary>
internal sealed record FieldSelector(IReadOnlyList<FieldRequirement> Requirements)
{
    public static FieldSelector Everything { get; } = new([]);

    public bool IsEverything => Requirements.Count == 0;

    public bool Matches(Func<string, string> field)
    {
        foreach (var requirement in Requirements)
        {
            if (field(requirement.Field) == requirement.Value != requirement.Equal)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>The name that the selector requires, so that a list can be a lookup.</summary>
    public string? Name => Requirements.FirstOrDefault(requirement => requirement is { Field: "metadata.name", Equal: true })?.Value;

    /// <summary>The name that a selector requires; null if there is none. Other fields are not parsed.</summary>
    public static string? NameIn(string? text)
    {
        const string Field = "metadata.name=";
        var part = text?.Split(',').FirstOrDefault(p => p.StartsWith(Field, StringComparison.Ordinal));
        return part?[Field.Length..].TrimStart('=');
    }

    /// <exception cref="ApiException">400 for a syntax error or an unsupported field.</exception>
    public static FieldSelector Parse(string? text, IReadOnlyCollection<string> known, bool custom)
    {
        if (string.IsNullOrEmpty(text))
        {
            return Everything;
        }
        var requirements = new List<FieldRequirement>();
        foreach (var part in Split(text))
        {
            if (part.Length == 0)
            {
                continue;
            }
            var at = part.IndexOf('=', StringComparison.Ordinal);
            if (at < 0)
            {
                throw ApiErrors.BadRequest($"invalid selector: '{text}'; can't understand '{part}'");
            }
            var equal = at == 0 || part[at - 1] != '!';
            var field = equal ? part[..at] : part[..(at - 1)];
            var value = part[(at + 1)..];
            if (equal && value.StartsWith('='))
            {
                value = value[1..];
            }
            if (!known.Contains(field))
            {
                throw ApiErrors.BadRequest(
                    custom
                        ? $"field label not supported: {field}"
                        : $"\"{field}\" is not a known field selector: only {string.Join(", ", known.Select(FieldError.Quote))}"
                );
            }
            requirements.Add(new FieldRequirement(field, equal, Unescape(value)));
        }
        return new FieldSelector(requirements);
    }

    private static IEnumerable<string> Split(string text)
    {
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                i++;
            }
            else if (text[i] == ',')
            {
                yield return text[start..i];
                start = i + 1;
            }
        }
        yield return text[start..];
    }

    private static string Unescape(string value) =>
        value.Contains('\\', StringComparison.Ordinal)
            ? value
                .Replace("\\,", ",", StringComparison.Ordinal)
                .Replace("\\=", "=", StringComparison.Ordinal)
                .Replace("\\\\", "\\", StringComparison.Ordinal)
            : value;
}
