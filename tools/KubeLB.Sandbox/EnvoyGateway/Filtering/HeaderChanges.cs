using KubeLB.Api.GatewayApi;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace KubeLB.Sandbox.EnvoyGateway.Filtering;

/// <summary>Applies header filters: set, then add, then remove.</summary>
internal static class HeaderChanges
{
    /// <summary>Changes the headers.</summary>
    public static void Apply(IHeaderDictionary headers, IEnumerable<HeaderFilter> filters, SubstitutionContext context)
    {
        foreach (var filter in filters)
        {
            foreach (var header in filter.Set ?? [])
            {
                headers[header.Name] = HeaderSubstitution.Evaluate(header.Value, context);
            }

            foreach (var header in filter.Add ?? [])
            {
                headers[header.Name] = StringValues.Concat(headers[header.Name], HeaderSubstitution.Evaluate(header.Value, context));
            }

            foreach (var name in filter.Remove ?? [])
            {
                headers.Remove(name);
            }
        }
    }
}
