using KubeLB.EmbeddedCluster.Applying;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Security;
using KubeLB.EmbeddedCluster.Selectors;
using KubeLB.EmbeddedCluster.Writing;
using Microsoft.AspNetCore.Http;

namespace KubeLB.EmbeddedCluster.Http;

/// <summary>A parsed request for a resource.</summary>
internal sealed record ApiRequest(HttpContext Context, RequestInfo Info, ResourceDefinition Resource, UserInfo User)
{
    public ObjectText Text { get; } = new(Resource);

    /// <summary>The object's namespace; empty for cluster-scoped resources.</summary>
    public string Namespace => Resource.Namespaced ? Info.Namespace : "";

    public string? Query(string name) => Context.Request.Query.TryGetValue(name, out var values) && values.Count > 0 ? values[0] : null;

    public bool Flag(string name) => Query(name) is "true" or "1" or "True" or "TRUE" or "t";

    /// <exception cref="ApiException">406.</exception>
    public Negotiated Negotiate() => Negotiation.Negotiate(Context.Request, Resource.Custom is not null);

    public ObjectFilter Filter() => ObjectFilter.Parse(Resource, Namespace, Info.Name, Query("labelSelector"), Query("fieldSelector"));

    /// <exception cref="ApiException">422 for an invalid value.</exception>
    public WriteOptions WriteOptions(bool isApply = false)
    {
        var dryRun = Context.Request.Query["dryRun"];
        var manager = Query("fieldManager") ?? "";
        var errors = new List<FieldError>();
        errors.AddRange(dryRun.Where(value => value != "All").Select(value => FieldError.NotSupported("dryRun", value ?? "", "All")));
        if (isApply && manager.Length == 0)
        {
            errors.Add(FieldError.Required("fieldManager", "is required for apply patch"));
        }
        else if (!isApply && Info.Verb == "patch" && Query("force") is not null)
        {
            errors.Add(FieldError.Forbidden("force", "may not be specified for non-apply patch"));
        }
        errors.AddRange(ManagerNames.Validate(manager));
        var validation = FieldValidation.Warn;
        switch (Query("fieldValidation"))
        {
            case null or "" or "Warn":
                break;
            case "Strict":
                validation = FieldValidation.Strict;
                break;
            case "Ignore":
                validation = FieldValidation.Ignore;
                break;
            case var other:
                errors.Add(FieldError.NotSupported("fieldValidation", other, "", "Ignore", "Strict", "Warn"));
                break;
        }
        if (errors.Count > 0)
        {
            var kind = Info.Verb switch
            {
                "create" => "CreateOptions",
                "patch" => "PatchOptions",
                _ => "UpdateOptions",
            };
            throw ApiErrors.Invalid("meta.k8s.io", kind, "", errors);
        }
        return new WriteOptions
        {
            DryRun = dryRun.Count > 0,
            FieldValidation = validation,
            Manager = manager.Length > 0 ? manager : ManagerNames.OfAgent(Context.Request.Headers.UserAgent.ToString()),
            Subresource = Info.Subresource,
            IsApply = isApply,
        };
    }
}
