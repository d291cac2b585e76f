using KubeLB.Api.Messages;
using KubeLB.Xds.Resources;

namespace KubeLB.Manager.Proxies;

/// <summary>Short names of Envoy's resource types, for messages and labels.</summary>
internal static class XdsTypeNames
{
    /// <summary>Name of all types that are not served, since a client must not be able to create label values.</summary>
    public const string Other = "other";

    /// <summary>The types that are served.</summary>
    public static readonly IReadOnlyList<(string TypeUrl, string Name)> All =
    [
        (ResourceTypes.Cluster, "cluster"),
        (ResourceTypes.ClusterLoadAssignment, "endpoints"),
        (ResourceTypes.Listener, "listener"),
        (ResourceTypes.RouteConfiguration, "route"),
        (ResourceTypes.Secret, "secret"),
    ];

    /// <summary>The name of a type.</summary>
    public static string Of(string typeUrl) => All.FirstOrDefault(t => t.TypeUrl == typeUrl).Name ?? Other;
}

/// <summary>Sanitizes error messages of proxies and other clients for logs, conditions and Events.</summary>
internal static class EnvoyText
{
    /// <summary>Maximum number of characters.</summary>
    public const int MaxLength = 500;

    /// <summary>The text on one line, without control characters, cut to <see cref="MaxLength"/>.</summary>
    public static string OneLine(string message)
    {
        var words = new string([.. message.Select(c => char.IsControl(c) ? ' ' : c)]).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return MessageText.Quote(string.Join(' ', words), MaxLength);
    }
}
