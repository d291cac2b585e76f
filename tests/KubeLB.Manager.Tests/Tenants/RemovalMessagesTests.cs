using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Tenants;

namespace KubeLB.Manager.Tests.Tenants;

public sealed class RemovalMessagesTests
{
    [Fact]
    public void Remaining_objects_report_count_and_example() =>
        RemovalMessages
            .Objects("Route", "tenant-t", [Named("u-2"), Named("u-1")], _ => [])
            .Should()
            .Be("Waiting for 2 Routes in namespace tenant-t to be removed, for example u-1 (HTTPRoute shop/cart of the tenant).");

    [Fact]
    public void Object_blocked_by_a_finalizer_is_the_example() =>
        RemovalMessages
            .Objects("Route", "tenant-t", [Named("u-1"), Named("u-2", "example.com/a", Finalizers.Cleanup, "example.com/b")], _ => [])
            .Should()
            .Be(
                "Waiting for 2 Routes in namespace tenant-t to be removed, for example u-2 (HTTPRoute shop/cart of the tenant); "
                    + "Route tenant-t/u-2 is blocked by finalizers example.com/a, example.com/b."
            );

    [Fact]
    public void Object_with_blocked_generated_object_reports_its_finalizer()
    {
        var generated = new HttpRoute
        {
            Metadata =
            {
                Name = "shop-cart",
                NamespaceProperty = "tenant-t",
                DeletionTimestamp = DateTime.UnixEpoch,
                Finalizers = ["example.com/a"],
            },
        };

        RemovalMessages
            .Objects("Route", "tenant-t", [Named("u-1")], _ => [generated])
            .Should()
            .EndWith("; HTTPRoute tenant-t/shop-cart is blocked by finalizer example.com/a.");
    }

    [Fact]
    public void Terminating_namespace_reports_its_conditions()
    {
        var @namespace = new V1Namespace
        {
            Metadata = new V1ObjectMeta { Name = "tenant-t" },
            Status = new V1NamespaceStatus
            {
                Conditions =
                [
                    new V1NamespaceCondition
                    {
                        Type = "NamespaceFinalizersRemaining",
                        Status = "True",
                        Message = "a in 1 resource instances",
                    },
                    new V1NamespaceCondition
                    {
                        Type = "NamespaceDeletionDiscoveryFailure",
                        Status = "False",
                        Message = "All resources successfully discovered",
                    },
                ],
            },
        };

        RemovalMessages
            .OldNamespace(@namespace)
            .Should()
            .Be("Waiting for namespace tenant-t of a deleted Tenant to be removed: a in 1 resource instances.");
        RemovalMessages
            .Namespace(new V1Namespace { Metadata = new V1ObjectMeta { Name = "n" } })
            .Should()
            .Be("Waiting for namespace n to be removed.");
    }

    private static Route Named(string name, params string[] finalizers) =>
        new()
        {
            Metadata =
            {
                Name = name,
                NamespaceProperty = "tenant-t",
                DeletionTimestamp = DateTime.UnixEpoch,
                Finalizers = [.. finalizers],
                Labels = new Dictionary<string, string>
                {
                    [Labels.OriginName] = "cart",
                    [Labels.OriginNamespace] = "shop",
                    [Labels.OriginResourceKind] = "HTTPRoute.gateway.networking.k8s.io",
                },
            },
        };
}
