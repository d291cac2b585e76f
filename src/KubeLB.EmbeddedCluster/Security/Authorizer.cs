using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Http;

namespace KubeLB.EmbeddedCluster.Security;

/// <summary>Lets a request pass or refuses it.</summary>
internal sealed class Authorizer(RbacPolicy policy)
{
    /// <exception cref="ApiException">403 in Kubernetes' words.</exception>
    public void Authorize(UserInfo user, RequestInfo info)
    {
        if (user.IsMaster)
        {
            return;
        }
        var access = info.IsResource
            ? new AccessAttributes { Verb = info.Verb, Group = info.Group, Resource = info.Resource, Subresource = info.Subresource, Namespace = info.Namespace, Name = info.Name }
            : new AccessAttributes { Verb = info.Verb, Path = info.Path };
        if (policy.Allows(user, access))
        {
            return;
        }
        throw info.IsResource
            ? ApiErrors.Forbidden(info.Group, info.Resource, info.Name, access.Describe(user.Name))
            : new ApiException(new ApiStatus(403, "Forbidden", $"forbidden: {access.Describe(user.Name)}", new StatusDetails()));
    }
}
