using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.EndToEnd.Support;

namespace KubeLB.Inspection.Tests.Dashboard.Support;

/// <summary>Routes with a status, without a CCM.</summary>
internal static class SampleRoutes
{
    /// <summary>Creates a route that the CCM has accepted, if its Gateway is one of KubeLB.</summary>
    public static async Task CreateAsync(TestCluster tenant, int number, string gateway = "my-gateway")
    {
        var parent = new ParentReference { Name = gateway };
        await tenant.CreateAsync(
            new HttpRoute
            {
                Metadata = { Name = $"route-{number}", NamespaceProperty = "default" },
                Spec = new HttpRouteSpec { ParentRefs = [parent], Hostnames = [$"route-{number}.example.com"] },
            }
        );
        if (gateway == "my-gateway")
        {
            await tenant.PatchStatusAsync<HttpRoute>("default", $"route-{number}", Status("True", "ResolvedRefs"));
        }
    }

    /// <summary>The status of an accepted route.</summary>
    public static RouteParentsStatus Status(string resolved, string reason) =>
        new()
        {
            Parents =
            [
                new RouteParentStatus
                {
                    ParentRef = new ParentReference { Name = "my-gateway" },
                    ControllerName = GatewayClass.KubelbController,
                    Conditions = [Of("Accepted", "True", "Accepted"), Of("ResolvedRefs", resolved, reason)],
                },
            ],
        };

    private static Condition Of(string type, string status, string reason) =>
        new()
        {
            Type = type,
            Status = status,
            Reason = reason,
            ObservedGeneration = 1,
            LastTransitionTime = "2026-01-01T00:00:00Z",
        };
}
