using KubeLB.Api.GatewayApi;

namespace KubeLB.Translation.Events;

/// <summary>What to do about a condition, where its message says only what is wrong.</summary>
internal static class Advice
{
    public static string? For(string reason) =>
        reason switch
        {
            GatewayConditions.NoMatchingParent =>
                "Name a listener of the Gateway in the parentRef's sectionName and port, or leave them out.",
            GatewayConditions.NotAllowedByListeners =>
                "Permit the route's namespace and kind in allowedRoutes of a listener, or attach to another Gateway.",
            GatewayConditions.NoMatchingListenerHostname => "Give the route a host name that a listener of the Gateway serves.",
            GatewayConditions.BackendNotFound => "Create the Service or correct the backendRef.",
            GatewayConditions.PortNotFound or GatewayConditions.PortNotSpecified => "Name a port of the Service in the backendRef.",
            GatewayConditions.RefNotPermitted =>
                "Create a ReferenceGrant in the namespace that is referred to, or refer to an object of the own namespace.",
            _ => null,
        };
}
