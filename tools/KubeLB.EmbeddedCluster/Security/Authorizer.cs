using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Http;
using KubeLB.EmbeddedCluster.Selectors;
using Microsoft.AspNetCore.Http;

namespace KubeLB.EmbeddedCluster.Security;

/// <summary>Authorizes requests.</summary>
internal sealed class Authorizer(RbacPolicy policy)
{
    /// <summary>The effective user of a request, from its <c>Impersonate-User</c> and <c>Impersonate-Group</c> headers.</summary>
    /// <exception cref="ApiException">403 if impersonation is not allowed.</exception>
    public UserInfo Impersonate(UserInfo user, IHeaderDictionary headers)
    {
        var name = headers["Impersonate-User"].ToString();
        if (name.Length == 0)
        {
            return user;
        }
        const string Prefix = "system:serviceaccount:";
        var account =
            name.StartsWith(Prefix, StringComparison.Ordinal) && name[Prefix.Length..].Split(':') is [var @namespace, var accountName]
                ? (@namespace, accountName)
                : default;
        Check(
            user,
            account.accountName is null
                ? new AccessAttributes
                {
                    Verb = "impersonate",
                    Resource = "users",
                    Name = name,
                }
                : new AccessAttributes
                {
                    Verb = "impersonate",
                    Resource = "serviceaccounts",
                    Namespace = account.@namespace,
                    Name = account.accountName,
                }
        );
        var groups = headers["Impersonate-Group"].OfType<string>().ToList();
        foreach (var group in groups)
        {
            Check(
                user,
                new AccessAttributes
                {
                    Verb = "impersonate",
                    Resource = "groups",
                    Name = group,
                }
            );
        }
        if (account.accountName is not null && groups.Count == 0)
        {
            groups = ["system:serviceaccounts", $"system:serviceaccounts:{account.@namespace}"];
        }
        if (name != UserInfo.Anonymous.Name && !groups.Contains(UserInfo.AllAuthenticated))
        {
            groups.Add(UserInfo.AllAuthenticated);
        }
        return new UserInfo(name, groups);
    }

    /// <param name="user">The user.</param>
    /// <param name="info">The request.</param>
    /// <param name="fieldSelector">
    /// The field selector of a list or watch: one that selects a single name is allowed by a rule with this resourceName, as in Kubernetes
    /// (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources).
    /// </param>
    /// <exception cref="ApiException">403 with the message of Kubernetes.</exception>
    public void Authorize(UserInfo user, RequestInfo info, string? fieldSelector)
    {
        if (user.IsInMasters)
        {
            return;
        }
        var access = info.IsResource
            ? Access(info, info.Verb) with
            {
                Subresource = info.Subresource,
                Name = NameIn(info, fieldSelector),
            }
            : new AccessAttributes { Verb = info.Verb, Path = info.Path };
        Check(user, access);
    }

    /// <summary>Checks that a user may create the object of an apply request.</summary>
    /// <exception cref="ApiException">403.</exception>
    public void AuthorizeCreation(UserInfo user, RequestInfo info)
    {
        if (!user.IsInMasters)
        {
            Check(user, Access(info, "create"));
        }
    }

    private static AccessAttributes Access(RequestInfo info, string verb) =>
        new()
        {
            Verb = verb,
            Group = info.Group,
            Resource = info.Resource,
            Namespace = info.Namespace,
            Name = info.Name,
        };

    private static string NameIn(RequestInfo info, string? fieldSelector) =>
        info.Name.Length == 0 && info.Verb is ("list" or "watch" or "deletecollection")
            ? FieldSelector.NameIn(fieldSelector) ?? ""
            : info.Name;

    private void Check(UserInfo user, AccessAttributes access)
    {
        if (policy.Allows(user, access))
        {
            return;
        }
        throw access.Path is null
            ? ApiErrors.Forbidden(access.Group, access.Resource, access.Name, access.Describe(user.Name))
            : new ApiException(new ApiStatus(403, "Forbidden", $"forbidden: {access.Describe(user.Name)}", new StatusDetails()));
    }
}

/// <summary>The attributes of an authorization decision.</summary>
internal sealed record AccessAttributes
{
    public required string Verb { get; init; }

    public string Group { get; init; } = "";

    public string Resource { get; init; } = "";

    public string Subresource { get; init; } = "";

    public string Namespace { get; init; } = "";

    public string Name { get; init; } = "";

    /// <summary>The path of a non-resource request.</summary>
    public string? Path { get; init; }

    /// <summary>The resource with its subresource, as in RBAC rules.</summary>
    public string FullResource => Subresource.Length == 0 ? Resource : $"{Resource}/{Subresource}";

    /// <summary>The denial message of Kubernetes, without its prefix.</summary>
    public string Describe(string user)
    {
        if (Path is not null)
        {
            return $"User \"{user}\" cannot {Verb} path \"{Path}\"";
        }
        var scope = Namespace.Length == 0 ? "at the cluster scope" : $"in the namespace \"{Namespace}\"";
        return $"User \"{user}\" cannot {Verb} resource \"{FullResource}\" in API group \"{Group}\" {scope}";
    }
}
