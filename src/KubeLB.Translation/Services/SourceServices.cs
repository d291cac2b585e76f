using KubeLB.Api;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Services;

/// <summary>Reads the Services that a Route carries.</summary>
public static class SourceServices
{
    /// <summary>The tenant's Service that a carried Service stands for: a twin stands for the one that its labels name.</summary>
    public static (string Namespace, string Name) OriginOf(RouteService service)
    {
        var name =
            service.Metadata.Labels is { } labels && labels.TryGetValue(Labels.OriginName, out var origin) && origin is { Length: > 0 }
                ? origin
                : service.Name;
        return (service.Namespace, name);
    }
}
