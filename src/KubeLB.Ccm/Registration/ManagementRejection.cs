using System.Net;
using System.Text.Json;
using k8s.Autorest;
using KubeLB.Api.Naming;

namespace KubeLB.Ccm.Registration;

/// <summary>
/// The management cluster rejected the creation of an object, and a retry fails until an administrator or the tenant changes something.
/// Temporary failures (no response, 409, 429, 5xx) are not rejections.
/// </summary>
/// <param name="IsOfTenant">Whether every object of the tenant is rejected, not only this one.</param>
/// <param name="Message">Cause and remedy, for a condition, the log and <c>/readyz</c>.</param>
internal sealed record ManagementRejection(bool IsOfTenant, string Message)
{
    /// <summary>
    /// When to retry. If all objects are rejected, one request is sent for all of them (<see cref="TenantRegistration"/>).
    /// </summary>
    public TimeSpan RequeueAfter => IsOfTenant ? TenantRegistration.RequeueAfter : TimeSpan.FromSeconds(30);

    /// <summary>Classifies a failed creation; null if it is not a rejection.</summary>
    /// <param name="failure">The response of the API server.</param>
    /// <param name="resource">Full name of the resource: <c>routes.kubelb.k8c.io</c>.</param>
    /// <param name="tenantNamespace">The tenant's namespace.</param>
    public static ManagementRejection? Of(HttpOperationException failure, string resource, string tenantNamespace)
    {
        var tenant = TenantNames.TenantOf(tenantNamespace) ?? tenantNamespace;
        var answer = Answer.Of(failure.Response?.Content);
        return failure.Response?.StatusCode switch
        {
            HttpStatusCode.NotFound when answer.Kind == "namespaces" => new(true, Messages.TenantNotRegistered(tenant)),
            HttpStatusCode.NotFound => new(true, Messages.DefinitionMissing(resource)),
            HttpStatusCode.Forbidden when answer.IsTerminating => new(true, Messages.TenantTerminating(tenant)),
            HttpStatusCode.Forbidden => new(true, Messages.CreationForbidden(resource, tenant)),
            HttpStatusCode.Unauthorized => new(true, Messages.InvalidCredentials(tenant)),
            HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.UnprocessableEntity => new(
                false,
                Messages.ObjectRejected(answer.Message ?? failure.Message)
            ),
            _ => null,
        };
    }

    /// <summary>The relevant fields of the Status in a response.</summary>
    private sealed record Answer(string? Message, string? Kind, bool IsTerminating)
    {
        public static Answer Of(string? body)
        {
            try
            {
                using var document = JsonDocument.Parse(body ?? "");
                var root = document.RootElement;
                var details = Child(root, "details");
                var causes = Child(details, "causes");
                return new Answer(
                    Text(root, "message"),
                    Text(details, "kind"),
                    causes.ValueKind == JsonValueKind.Array && causes.EnumerateArray().Any(c => Text(c, "reason") == "NamespaceTerminating")
                );
            }
            catch (JsonException)
            {
                return new Answer(null, null, false);
            }
        }

        private static JsonElement Child(JsonElement element, string name) =>
            element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var child) ? child : default;

        private static string? Text(JsonElement element, string name) =>
            Child(element, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;
    }
}
