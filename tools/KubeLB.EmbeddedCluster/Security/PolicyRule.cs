using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Security;

/// <summary>A rule of a Role or ClusterRole.</summary>
internal sealed record PolicyRule(string[] Verbs, string[] Groups, string[] Resources, string[] Names, string[] Paths)
{
    public static PolicyRule Read(JsonObject rule) =>
        new(
            [.. rule.Array("verbs").Strings()],
            [.. rule.Array("apiGroups").Strings()],
            [.. rule.Array("resources").Strings()],
            [.. rule.Array("resourceNames").Strings()],
            [.. rule.Array("nonResourceURLs").Strings()]
        );

    public bool Allows(AccessAttributes access)
    {
        if (!Has(Verbs, access.Verb))
        {
            return false;
        }
        if (access.Path is { } path)
        {
            return Paths.Any(allowed =>
                allowed == "*" || allowed == path || (allowed.EndsWith('*') && path.StartsWith(allowed[..^1], StringComparison.Ordinal))
            );
        }
        return Has(Groups, access.Group) && ResourceMatches(access) && (Names.Length == 0 || Names.Contains(access.Name));
    }

    private bool ResourceMatches(AccessAttributes access)
    {
        var full = access.FullResource;
        foreach (var resource in Resources)
        {
            if (resource == "*" || resource == full || (access.Subresource.Length > 0 && resource == "*/" + access.Subresource))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Splits the rule into the individual permissions that it grants.</summary>
    public IEnumerable<AccessAttributes> BreakDown()
    {
        foreach (var verb in Verbs)
        {
            foreach (var path in Paths)
            {
                yield return new AccessAttributes { Verb = verb, Path = path };
            }
            foreach (var group in Groups)
            {
                foreach (var resource in Resources)
                {
                    var slash = resource.IndexOf('/', StringComparison.Ordinal);
                    foreach (var name in Names.Length == 0 ? [""] : Names)
                    {
                        yield return new AccessAttributes
                        {
                            Verb = verb,
                            Group = group,
                            Resource = slash < 0 ? resource : resource[..slash],
                            Subresource = slash < 0 ? "" : resource[(slash + 1)..],
                            Name = name,
                        };
                    }
                }
            }
        }
    }

    private static bool Has(string[] values, string value) => values.Contains("*") || values.Contains(value);
}
