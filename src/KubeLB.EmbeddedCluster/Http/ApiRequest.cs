using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Security;
using KubeLB.EmbeddedCluster.Selectors;
using KubeLB.EmbeddedCluster.Writing;
using Microsoft.AspNetCore.Http;

namespace KubeLB.EmbeddedCluster.Http;

/// <summary>A request for a resource on its way to a handler.</summary>
internal sealed record ApiRequest(HttpContext Context, RequestInfo Info, ResourceDefinition Resource, UserInfo User)
{
    public ObjectText Text { get; } = new(Resource);

    /// <summary>The object's namespace as the store knows it: empty for cluster-scoped resources.</summary>
    public string Namespace => Resource.Namespaced ? Info.Namespace : "";

    public string? Query(string name) => Context.Request.Query.TryGetValue(name, out var values) && values.Count > 0 ? values[0] : null;

    public bool Flag(string name) => Query(name) is "true" or "1" or "True" or "TRUE" or "t";

    /// <exception cref="ApiException">406.</exception>
    public Negotiated Negotiate() => Negotiation.Negotiate(Context.Request, Resource.Custom is not null);

    public ObjectFilter Filter() => ObjectFilter.Parse(Resource, Namespace, Info.Name, Query("labelSelector"), Query("fieldSelector"));

    /// <exception cref="ApiException">400 or 422 for a value that there is not.</exception>
    public WriteOptions WriteOptions()
    {
        var dryRun = Context.Request.Query["dryRun"];
        foreach (var value in dryRun)
        {
            if (value != "All")
            {
                throw ApiErrors.Invalid("meta.k8s.io", Info.Verb switch { "create" => "CreateOptions", "patch" => "PatchOptions", _ => "UpdateOptions" }, "",
                    [FieldError.NotSupported("dryRun", value ?? "", "All")]);
            }
        }
        return new WriteOptions
        {
            DryRun = dryRun.Count > 0,
            FieldValidation = Query("fieldValidation") switch
            {
                null or "" or "Warn" => FieldValidation.Warn,
                "Strict" => FieldValidation.Strict,
                "Ignore" => FieldValidation.Ignore,
                var other => throw ApiErrors.Invalid("meta.k8s.io", "CreateOptions", "", [FieldError.NotSupported("fieldValidation", other, "", "Ignore", "Strict", "Warn")]),
            },
        };
    }
}
