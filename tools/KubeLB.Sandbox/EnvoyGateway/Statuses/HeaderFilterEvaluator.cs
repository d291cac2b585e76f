using KubeLB.Api.GatewayApi;

namespace KubeLB.Sandbox.EnvoyGateway.Statuses;

/// <summary>Judges header filters. Pure.</summary>
internal static class HeaderFilterEvaluator
{
    /// <summary>What is wrong with a filter; null if nothing is.</summary>
    public static string? Error(HeaderFilter? filter, string type)
    {
        if (filter is null)
        {
            return null;
        }

        var errors = new List<string>();
        var valid = 0;
        foreach (var (verb, header) in (filter.Add ?? []).Select(h => ("add", h)).Concat((filter.Set ?? []).Select(h => ("set", h))))
        {
            if (header.Name.Length == 0)
            {
                errors.Add($"{type} Filter cannot {verb} a header with an empty name");
            }
            else if (!IsModifiable(header.Name))
            {
                var hint =
                    type == "RequestHeaderModifier" ? " To modify the Host header use the URLRewrite or the HTTPRouteFilter filter." : "";
                errors.Add(
                    $"Header: \"{header.Name}\". The {type} filter cannot {verb} the Host header or headers with a '/' or ':' "
                        + $"character in them.{hint}"
                );
            }
            else if (header.Value.Length == 0)
            {
                errors.Add($"Header: \"{header.Name}\". {type} Filter cannot {verb} a header with an invalid value.");
            }
            else
            {
                valid++;
            }
        }

        foreach (var name in filter.Remove ?? [])
        {
            if (IsModifiable(name))
            {
                valid++;
            }
            else
            {
                errors.Add(
                    $"Header: \"{name}\". The {type} filter cannot remove the Host header or headers with a '/' or ':' character in them."
                );
            }
        }

        if (valid == 0 && errors.Count > 0)
        {
            return $"{type} Filter did not provide valid configuration to add/set/remove any headers.";
        }

        var message = string.Join("\n", errors);
        return message.Length == 0 ? null
            : message.EndsWith('.') ? message
            : message + ".";
    }

    private static bool IsModifiable(string name) =>
        name.Length > 0 && !name.Equals("host", StringComparison.OrdinalIgnoreCase) && name.AsSpan().IndexOfAny('/', ':') < 0;
}
