using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Status;

namespace KubeLB.Translation.Tests.Status;

/// <summary>
/// The status of a Gateway that KubeLB no longer serves: that of a new Gateway, unless another controller wrote it.
/// </summary>
public sealed class GatewayReleaseTests
{
    private const string Before = "2026-01-01T00:00:00Z";
    private const string Now = "2026-01-02T03:04:05Z";

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public void Released_Gateway_has_the_status_of_a_new_Gateway(int reportedRoutes)
    {
        var gateway = Gateway();
        gateway.Status = GatewayStatusTranslator.Translate(gateway, Route(Reported("203.0.113.10", "ok", routes: 1)), [], Before);

        var released = GatewayStatusTranslator.Release(gateway, Route(Reported("203.0.113.10", "ok", reportedRoutes)), [], Now);

        released!.Addresses.Should().BeNull();
        released.Listeners.Should().BeNull();
        released
            .Conditions!.Select(c => $"{c.Type} {c.Status} {c.Reason} {c.LastTransitionTime}")
            .Should()
            .Equal($"Accepted Unknown Pending {Now}", $"Programmed Unknown Pending {Now}");
    }

    [Theory]
    [InlineData("198.51.100.1", "ok")]
    [InlineData("203.0.113.10", "in other words")]
    public void Status_of_another_controller_is_unchanged(string address, string message)
    {
        var gateway = Gateway();
        gateway.Status = GatewayStatusTranslator.Translate(gateway, Route(Reported(address, message, routes: 1)), [], Before);

        GatewayStatusTranslator.Release(gateway, Route(Reported("203.0.113.10", "ok", routes: 1)), [], Now).Should().BeNull();
    }

    private static Gateway Gateway() =>
        new()
        {
            Metadata = new()
            {
                Name = "gw",
                NamespaceProperty = "default",
                Generation = 1,
            },
            Spec = new GatewaySpec
            {
                Listeners =
                [
                    new Listener
                    {
                        Name = "http",
                        Port = 80,
                        Protocol = "HTTP",
                    },
                ],
            },
        };

    private static Route Route(GatewayStatus reported) =>
        new()
        {
            Metadata = new()
            {
                Name = "r",
                Annotations = new Dictionary<string, string> { [Annotations.SourceGeneration] = "1" },
            },
            Status = new RouteStatus
            {
                Resources = new RouteResources
                {
                    Route = new GeneratedObject
                    {
                        Kind = "Gateway",
                        GeneratedName = "default-gw",
                        SourceGeneration = 1,
                        Generation = 4,
                        Status = ApiJson.ToJson(reported),
                    },
                },
            },
        };

    private static GatewayStatus Reported(string address, string message, int routes) =>
        new()
        {
            Addresses = [new GatewayAddress { Type = "IPAddress", Value = address }],
            Conditions = [Condition("Accepted", message), Condition("Programmed", message)],
            Listeners =
            [
                new ListenerStatus
                {
                    Name = "http",
                    AttachedRoutes = routes,
                    Conditions = [Condition("Programmed", message)],
                },
            ],
        };

    private static Condition Condition(string type, string message) =>
        new()
        {
            Type = type,
            Status = "True",
            Reason = type,
            Message = message,
            ObservedGeneration = 4,
            LastTransitionTime = Before,
        };
}
