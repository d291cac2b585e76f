using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;

namespace KubeLB.EmbeddedCluster.Security;

/// <summary>
/// Privilege escalation check: a user can only grant permissions that the user holds, unless allowed to <c>escalate</c> or <c>bind</c>.
/// </summary>
internal sealed class EscalationCheck(RbacPolicy policy)
{
    private const string Group = "rbac.authorization.k8s.io";

    /// <exception cref="ApiException">403 with the missing permissions.</exception>
    public void Check(UserInfo user, ResourceDefinition resource, string @namespace, JsonObject tree)
    {
        if (resource.Group != Group || user.IsInMasters)
        {
            return;
        }
        var name = tree.Object("metadata").Text("name") ?? "";
        if (resource.Plural is "roles" or "clusterroles")
        {
            var escalate = new AccessAttributes
            {
                Verb = "escalate",
                Group = Group,
                Resource = resource.Plural,
                Namespace = @namespace,
                Name = name,
            };
            if (!policy.Allows(user, escalate))
            {
                RequireHeldPermissions(user, resource, @namespace, name, RbacPolicy.ReadRules(tree));
            }
            return;
        }
        var reference = tree.Object("roleRef");
        var kind = reference.Text("kind") ?? "";
        var role = reference.Text("name") ?? "";
        var bind = new AccessAttributes
        {
            Verb = "bind",
            Group = Group,
            Resource = kind == "ClusterRole" ? "clusterroles" : "roles",
            Namespace = @namespace,
            Name = role,
        };
        if (!policy.Allows(user, bind))
        {
            RequireHeldPermissions(user, resource, @namespace, name, policy.RulesOf(kind, role, @namespace));
        }
    }

    private void RequireHeldPermissions(
        UserInfo user,
        ResourceDefinition resource,
        string @namespace,
        string name,
        IEnumerable<PolicyRule> desired
    )
    {
        var held = policy.Rules(user, @namespace).ToList();
        var missing = desired.SelectMany(rule => rule.SplitPermissions()).Where(access => !held.Any(rule => rule.Allows(access))).ToList();
        if (missing.Count == 0)
        {
            return;
        }
        var groups = string.Join(" ", user.Groups.Select(FieldError.Quote));
        var rules = missing
            .GroupBy(access => (access.Path, access.Group, access.FullResource, access.Name))
            .Select(rule => Describe(rule.Key, rule.Select(access => access.Verb)));
        throw ApiErrors.Forbidden(
            resource.Group,
            resource.Plural,
            name,
            $"user {FieldError.Quote(user.Name)} (groups=[{groups}]) "
                + $"is attempting to grant RBAC permissions not currently held:\n{string.Join("\n", rules)}"
        );
    }

    private static string Describe((string? Path, string Group, string Resource, string Name) rule, IEnumerable<string> verbs)
    {
        var list = string.Join(" ", verbs.Distinct().Select(FieldError.Quote));
        if (rule.Path is { } path)
        {
            return $"{{NonResourceURLs:[{FieldError.Quote(path)}], Verbs:[{list}]}}";
        }
        var names = rule.Name.Length == 0 ? "" : $", ResourceNames:[{FieldError.Quote(rule.Name)}]";
        return $"{{APIGroups:[{FieldError.Quote(rule.Group)}], Resources:[{FieldError.Quote(rule.Resource)}]{names}, Verbs:[{list}]}}";
    }
}
