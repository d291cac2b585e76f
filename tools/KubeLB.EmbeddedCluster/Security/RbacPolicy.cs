using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Storage;

namespace KubeLB.EmbeddedCluster.Security;

/// <summary>Evaluates the stored Roles, ClusterRoles and bindings.</summary>
internal sealed class RbacPolicy(ClusterStore store)
{
    private const string Group = "rbac.authorization.k8s.io";

    private readonly ResourceTable _roles = store.Table(Group, "roles");
    private readonly ResourceTable _clusterRoles = store.Table(Group, "clusterroles");
    private readonly ResourceTable _bindings = store.Table(Group, "rolebindings");
    private readonly ResourceTable _clusterBindings = store.Table(Group, "clusterrolebindings");

    // Parsed once per stored version of an object.
    private readonly ConditionalWeakTable<StoredObject, IReadOnlyList<PolicyRule>> _rules = [];
    private readonly ConditionalWeakTable<StoredObject, Binding> _parsed = [];

    public bool Allows(UserInfo user, AccessAttributes access) =>
        user.IsInMasters || Rules(user, access.Namespace).Any(rule => rule.Allows(access));

    /// <summary>The rules of a user: cluster-wide ones, and those of a namespace if it is not null.</summary>
    public IEnumerable<PolicyRule> Rules(UserInfo user, string @namespace)
    {
        foreach (var stored in _clusterBindings.Current.Values.SelectMany(objects => objects.Values))
        {
            var binding = Parse(stored);
            if (binding.AppliesTo(user, ""))
            {
                foreach (var rule in RulesOf(binding.RoleKind, binding.RoleName, ""))
                {
                    yield return rule;
                }
            }
        }
        if (@namespace.Length == 0 || !_bindings.Current.TryGetValue(@namespace, out var local))
        {
            yield break;
        }
        foreach (var stored in local.Values)
        {
            var binding = Parse(stored);
            if (binding.AppliesTo(user, @namespace))
            {
                foreach (var rule in RulesOf(binding.RoleKind, binding.RoleName, @namespace))
                {
                    yield return rule;
                }
            }
        }
    }

    /// <summary>The rules of a role; empty if it does not exist.</summary>
    public IReadOnlyList<PolicyRule> RulesOf(string kind, string name, string @namespace)
    {
        var role = kind == "ClusterRole" ? _clusterRoles.Find("", name) : _roles.Find(@namespace, name);
        return role is null ? [] : _rules.GetValue(role, stored => ReadRules(stored.ToTree()));
    }

    public static IReadOnlyList<PolicyRule> ReadRules(JsonObject role) => [.. role.Array("rules").Objects().Select(PolicyRule.Read)];

    private Binding Parse(StoredObject stored) => _parsed.GetValue(stored, item => new Binding(item.ToTree()));

    private sealed class Binding(JsonObject tree)
    {
        private readonly (string Kind, string Name, string Namespace)[] _subjects =
        [
            .. tree.Array("subjects")
                .Objects()
                .Select(subject => (subject.Text("kind") ?? "", subject.Text("name") ?? "", subject.Text("namespace") ?? "")),
        ];

        public string RoleKind { get; } = tree.Object("roleRef").Text("kind") ?? "";

        public string RoleName { get; } = tree.Object("roleRef").Text("name") ?? "";

        public bool AppliesTo(UserInfo user, string @namespace) =>
            _subjects.Any(subject =>
                subject.Kind switch
                {
                    "User" => subject.Name == user.Name,
                    "Group" => user.Groups.Contains(subject.Name),
                    "ServiceAccount" => user.Name
                        == $"system:serviceaccount:{(subject.Namespace.Length > 0 ? subject.Namespace : @namespace)}:{subject.Name}",
                    _ => false,
                }
            );
    }
}

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
    public IEnumerable<AccessAttributes> SplitPermissions()
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
