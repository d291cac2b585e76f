using System.Net;
using k8s.Autorest;
using KubeLB.Api.Naming;
using KubeLB.Runtime.Clusters;

namespace KubeLB.Ccm.Registration;

/// <summary>
/// An answer of the management cluster that says that something cannot be created there, now and until somebody changes something. No
/// answer at all, and answers that speak of the moment only (409, 429, 5xx), are none.
/// </summary>
/// <param name="IsOfTenant">Whether it concerns everything of this tenant, and not the one object only.</param>
/// <param name="Message">What is wrong and whom to ask, for a condition, a log and <c>/readyz</c>.</param>
internal sealed record ManagementRejection(bool IsOfTenant, string Message)
{
    /// <summary>
    /// When to ask again. What concerns the whole tenant is asked for one object in the name of all (<see cref="TenantRegistration"/>).
    /// </summary>
    public TimeSpan Pause => IsOfTenant ? TenantRegistration.Pause : TimeSpan.FromSeconds(30);

    /// <summary>
    /// The refusal that a failed request to create <paramref name="what"/> in a tenant's namespace came to; null if it is none.
    /// </summary>
    public static ManagementRejection? Of(HttpOperationException failure, string what, string tenantNamespace)
    {
        var tenant = TenantNames.TenantOf(tenantNamespace);
        var status = ApiStatus.Parse(failure.Response?.Content);
        return failure.Response?.StatusCode switch
        {
            HttpStatusCode.NotFound when status?.Details?.Kind == "namespaces" => new(
                true,
                $"Tenant {tenant} is not registered in the management cluster (namespace {tenantNamespace} does not exist): ask its "
                    + "administrator to create the Tenant."
            ),
            HttpStatusCode.NotFound => new(
                true,
                $"The management cluster does not know {what}: ask its administrator to install KubeLB's CustomResourceDefinitions."
            ),
            HttpStatusCode.Forbidden when status?.Details?.Causes?.Any(c => c.Reason == "NamespaceTerminating") == true => new(
                true,
                $"Tenant {tenant} is not registered in the management cluster (namespace {tenantNamespace} is being removed): ask "
                    + "its administrator to create the Tenant."
            ),
            HttpStatusCode.Forbidden => new(
                true,
                $"The management cluster does not permit this cluster to create {what} in namespace {tenantNamespace}: ask its "
                    + $"administrator whether Tenant {tenant} is registered and its kubeconfig is the present one."
            ),
            HttpStatusCode.Unauthorized => new(
                true,
                "The management cluster does not accept the credentials of this cluster: ask its administrator for a new kubeconfig "
                    + $"of Tenant {tenant}."
            ),
            HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.UnprocessableEntity => new(
                false,
                $"The management cluster refuses the object: {status?.Message ?? failure.Message}"
            ),
            _ => null,
        };
    }
}
