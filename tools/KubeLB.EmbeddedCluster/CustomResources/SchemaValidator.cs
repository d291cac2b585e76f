using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.CustomResources;

/// <summary>Validates a value against a structural schema; errors have the wording of kube-openapi.</summary>
internal sealed class SchemaValidator(List<FieldError> errors)
{
    public void Validate(JsonNode? value, SchemaNode schema, string path)
    {
        if (value is null)
        {
            if (!schema.Nullable && schema.Type is not null)
            {
                WrongType(path, schema.Type, "null");
            }
            return;
        }
        if (!TypeMatches(value, schema))
        {
            WrongType(path, schema.IntOrString ? "integer,string" : schema.Type!, SchemaNode.TypeName(value));
            return;
        }
        switch (value)
        {
            case JsonObject tree:
                ValidateObject(tree, schema, path);
                break;
            case JsonArray list:
                ValidateList(list, schema, path);
                break;
            default:
                ValidateScalar(value, schema, path);
                break;
        }
        if (schema.Enum is { } allowed && !allowed.Any(item => JsonNode.DeepEquals(item, value)))
        {
            errors.Add(FieldError.NotSupported(path, value, allowed));
        }
        ValidateCombinations(value, schema, path);
    }

    private static bool TypeMatches(JsonNode value, SchemaNode schema)
    {
        var kind = value.GetValueKind();
        if (schema.IntOrString)
        {
            return kind == JsonValueKind.String || value.AsInteger() is not null;
        }
        return schema.Type switch
        {
            null => true,
            "object" => kind == JsonValueKind.Object,
            "array" => kind == JsonValueKind.Array,
            "string" => kind == JsonValueKind.String,
            "boolean" => kind is JsonValueKind.True or JsonValueKind.False,
            "integer" => value.AsInteger() is not null,
            "number" => kind == JsonValueKind.Number,
            _ => true,
        };
    }

    private void ValidateObject(JsonObject tree, SchemaNode schema, string path)
    {
        foreach (var required in schema.Required)
        {
            if (!tree.ContainsKey(required))
            {
                errors.Add(FieldError.Required(Join(path, required)));
            }
        }
        if (schema.MinProperties is { } minimum && tree.Count < minimum)
        {
            errors.Add(FieldError.Invalid(path, tree, $"{path} in body should have at least {minimum} properties"));
        }
        if (schema.MaxProperties is { } maximum && tree.Count > maximum)
        {
            errors.Add(FieldError.TooMany(path, tree.Count, maximum));
        }
        foreach (var (name, item) in tree)
        {
            if (schema.Properties.TryGetValue(name, out var property))
            {
                Validate(item, property, Join(path, name));
            }
            else if (schema.Additional is { } additional)
            {
                Validate(item, additional, Join(path, name));
            }
        }
        if (schema.EmbeddedResource)
        {
            foreach (var member in new[] { "apiVersion", "kind" })
            {
                if (string.IsNullOrEmpty(tree.Text(member)))
                {
                    errors.Add(FieldError.Required(Join(path, member), "must not be empty"));
                }
            }
        }
    }

    private void ValidateList(JsonArray list, SchemaNode schema, string path)
    {
        if (schema.MinItems is { } minimum && list.Count < minimum)
        {
            errors.Add(FieldError.Invalid(path, JsonValue.Create(list.Count), $"{path} in body should have at least {minimum} items"));
        }
        if (schema.MaxItems is { } maximum && list.Count > maximum)
        {
            errors.Add(FieldError.TooMany(path, list.Count, maximum));
            return;
        }
        if (schema.Items is { } items)
        {
            for (var i = 0; i < list.Count; i++)
            {
                Validate(list[i], items, $"{path}[{i}]");
            }
        }
        if (schema.UniqueItems && list.Select(item => item?.ToJsonString()).Distinct(StringComparer.Ordinal).Count() < list.Count)
        {
            errors.Add(FieldError.Invalid(path, list, $"{path} in body shouldn't contain duplicates"));
        }
        if (schema.ListType is "set" or "map")
        {
            ValidateUniqueness(list, schema, path);
        }
    }

    private void ValidateUniqueness(JsonArray list, SchemaNode schema, string path)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < list.Count; i++)
        {
            JsonNode? key = list[i];
            if (schema.ListType == "map")
            {
                var keys = new JsonObject();
                foreach (var name in schema.ListMapKeys)
                {
                    var part = (list[i] as JsonObject)?[name] ?? schema.Items?.Properties.GetValueOrDefault(name)?.DefaultValue;
                    if (part is not null)
                    {
                        keys[name] = part.DeepClone();
                    }
                }
                key = keys;
            }
            if (!seen.Add(key?.ToJsonString() ?? "null"))
            {
                errors.Add(FieldError.Duplicate($"{path}[{i}]", key));
            }
        }
    }

    private void ValidateScalar(JsonNode value, SchemaNode schema, string path)
    {
        if (value.AsNumber() is { } number && value.GetValueKind() == JsonValueKind.Number)
        {
            ValidateNumber(value, number, schema, path);
        }
        else if (value.AsText() is { } text)
        {
            ValidateText(text, schema, path);
        }
    }

    private void ValidateNumber(JsonNode value, double number, SchemaNode schema, string path)
    {
        if (schema.Maximum is { } maximum && (schema.ExclusiveMaximum ? number >= maximum : number > maximum))
        {
            errors.Add(
                FieldError.Invalid(
                    path,
                    value,
                    $"{path} in body should be less than {(schema.ExclusiveMaximum ? "" : "or equal to ")}{Number(maximum)}"
                )
            );
        }
        if (schema.Minimum is { } minimum && (schema.ExclusiveMinimum ? number <= minimum : number < minimum))
        {
            errors.Add(
                FieldError.Invalid(
                    path,
                    value,
                    $"{path} in body should be greater than {(schema.ExclusiveMinimum ? "" : "or equal to ")}{Number(minimum)}"
                )
            );
        }
        if (schema.MultipleOf is { } step && step > 0 && Math.Abs((number / step) - Math.Round(number / step)) > 1e-9)
        {
            errors.Add(FieldError.Invalid(path, value, $"{path} in body should be a multiple of {Number(step)}"));
        }
        if (schema.Type == "integer" && schema.Format == "int32" && number is > int.MaxValue or < int.MinValue)
        {
            errors.Add(FieldError.Invalid(path, value, $"{path} in body must be of type int32: \"{Number(number)}\""));
        }
    }

    private void ValidateText(string text, SchemaNode schema, string path)
    {
        // The first of these errors ends the validation of the string, as in kube-openapi.
        var length = text.EnumerateRunes().Count();
        if (schema.MaxLength is { } maximum && length > maximum)
        {
            errors.Add(FieldError.TooLong(path, maximum));
            return;
        }
        if (schema.MinLength is { } minimum && length < minimum)
        {
            errors.Add(FieldError.Invalid(path, text, $"{path} in body should be at least {minimum} chars long"));
            return;
        }
        if (schema.Matcher is { } matcher && !matcher.IsMatch(text))
        {
            errors.Add(FieldError.Invalid(path, text, $"{path} in body should match '{schema.Pattern}'"));
        }
        if (schema.Format is { } format && !StringFormats.Matches(format, text))
        {
            errors.Add(FieldError.Invalid(path, text, $"{path} in body must be of type {format}: {FieldError.Quote(text)}"));
        }
    }

    private void ValidateCombinations(JsonNode value, SchemaNode schema, string path)
    {
        foreach (var part in schema.AllOf)
        {
            Validate(value, part, path);
        }
        if (schema.AnyOf.Count > 0 && !schema.IntOrString && !schema.AnyOf.Any(part => IsValid(value, part, path)))
        {
            errors.Add(FieldError.Invalid(path, value, $"{FieldError.Quote(path)} must validate at least one schema (anyOf)"));
        }
        if (schema.OneOf.Count > 0)
        {
            var valid = schema.OneOf.Count(part => IsValid(value, part, path));
            if (valid != 1)
            {
                var found = valid == 0 ? "Found none valid" : $"Found {valid} valid alternatives";
                errors.Add(
                    FieldError.Invalid(path, value, $"{FieldError.Quote(path)} must validate one and only one schema (oneOf). {found}")
                );
            }
        }
        if (schema.Not is { } not && IsValid(value, not, path))
        {
            errors.Add(FieldError.Invalid(path, value, $"{FieldError.Quote(path)} must not validate the schema (not)"));
        }
    }

    private static bool IsValid(JsonNode? value, SchemaNode schema, string path)
    {
        var found = new List<FieldError>();
        new SchemaValidator(found).Validate(value, schema, path);
        return found.Count == 0;
    }

    private void WrongType(string path, string expected, string given) =>
        errors.Add(FieldError.TypeInvalid(path, given, $"{path} in body must be of type {expected}: \"{given}\""));

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static string Number(double value) => new StringBuilder().Append(CultureInfo.InvariantCulture, $"{value}").ToString();
}

/// <summary>The string formats that CustomResourceDefinitions support; an unknown format accepts everything, as in Kubernetes.</summary>
internal static partial class StringFormats
{
    public static bool Matches(string format, string text) =>
        format switch
        {
            "date-time" or "datetime" => DateTimePattern().IsMatch(text)
                && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out _),
            "date" => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
            "duration" => DurationPattern().IsMatch(text),
            "uuid" or "uuid3" or "uuid4" or "uuid5" => UuidPattern().IsMatch(text),
            "ipv4" => IPAddress.TryParse(text, out var four)
                && four.AddressFamily == AddressFamily.InterNetwork
                && text.Count(c => c == '.') == 3,
            "ipv6" => IPAddress.TryParse(text, out var six) && six.AddressFamily == AddressFamily.InterNetworkV6,
            "cidr" => text.Contains('/', StringComparison.Ordinal) && IPNetwork.TryParse(text, out _),
            "byte" => Convert.TryFromBase64String(text, new byte[text.Length], out _),
            "uri" => Uri.TryCreate(text, UriKind.RelativeOrAbsolute, out _) && text.Length > 0,
            "email" => EmailPattern().IsMatch(text),
            "hostname" => text.Length <= 253 && HostnamePattern().IsMatch(text),
            "mac" => MacPattern().IsMatch(text),
            _ => true,
        };

    [GeneratedRegex(@"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})\z")]
    private static partial Regex DateTimePattern();

    [GeneratedRegex(@"^[-+]?(0|(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d|w)((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d|w))*)\z")]
    private static partial Regex DurationPattern();

    [GeneratedRegex("^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}\\z")]
    private static partial Regex UuidPattern();

    [GeneratedRegex(@"^[^@\s]+@[^@\s]+\z")]
    private static partial Regex EmailPattern();

    [GeneratedRegex(@"^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\z")]
    private static partial Regex HostnamePattern();

    [GeneratedRegex("^([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}\\z")]
    private static partial Regex MacPattern();
}
