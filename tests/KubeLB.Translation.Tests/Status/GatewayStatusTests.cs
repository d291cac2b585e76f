using System.Text.Json;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Events;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Secrets;
using KubeLB.Translation.Status;

namespace KubeLB.Translation.Tests.Status;

/// <summary>The status of a tenant's Gateway: what the management cluster reports, and what is kept of the existing status.</summary>
public sealed class GatewayStatusTests
{
    private const string Before = "2026-01-01T00:00:00Z";
    private const string Now = "2026-01-02T03:04:05Z";

    [Theory]
    [InlineData("default-gw", true)]
    [InlineData(null, false)]
    public void Failure_keeps_addresses_and_listeners_if_the_generated_Gateway_exists(string? generatedName, bool isKept)
    {
        var gateway = Gateway("HTTP");
        gateway.Status = new GatewayStatus
        {
            Addresses = [new GatewayAddress { Type = "IPAddress", Value = "203.0.113.10" }],
            Listeners = [new ListenerStatus { Name = "http" }],
        };
        var route = Route(new GatewayStatus(), Condition("ResourceAppliedSuccessfully", "False", "InstallationFailed", 2));
        route.Status!.Resources!.Route!.GeneratedName = generatedName;

        var status = GatewayStatusTranslator.Translate(gateway, route, [], Now);

        Text(status.Conditions).Should().Equal("Accepted False Invalid 2", "Programmed False Invalid 2");
        (status.Addresses is not null).Should().Be(isKept);
        (status.Listeners is not null).Should().Be(isKept);
    }

    [Theory]
    [InlineData("True", "Programmed", "Programmed False NoProxyAvailable 2")]
    [InlineData("False", "AddressNotAssigned", "Programmed False AddressNotAssigned 3")]
    public void Unavailable_proxies_are_reported_for_a_programmed_Gateway(string programmed, string reason, string expected)
    {
        var reported = new GatewayStatus
        {
            Conditions = [Condition("Accepted", "True", "Accepted", 4), Condition("Programmed", programmed, reason, 4)],
        };
        var route = Route(reported, Condition("ProxiesAvailable", "False", "NoProxyAvailable", 2));

        Text(GatewayStatusTranslator.Translate(Gateway("HTTP"), route, [], Now).Conditions)
            .Should()
            .Equal("Accepted True Accepted 3", expected);
    }

    [Theory]
    [InlineData("True", "Programmed", 4, "Programmed False GatewayClassNotFound 2")]
    [InlineData("True", "Programmed", 3, "Programmed False GatewayClassNotFound 2")]
    [InlineData("False", "AddressNotAssigned", 4, "Programmed False AddressNotAssigned 3")]
    public void Missing_class_is_reported_for_a_programmed_or_unanswered_Gateway(
        string programmed,
        string reason,
        long observed,
        string expected
    )
    {
        var reported = new GatewayStatus { Conditions = [Condition("Programmed", programmed, reason, observed)] };
        var route = Route(reported, Condition("GatewayClassReady", "False", "GatewayClassNotFound", 2));

        Text(GatewayStatusTranslator.Translate(Gateway("HTTP"), route, [], Now).Conditions).Should().Contain(expected);
    }

    [Fact]
    public void False_condition_of_another_type_does_not_report_unavailable_proxies()
    {
        var reported = new GatewayStatus { Conditions = [Condition("Programmed", "True", "Programmed", 4)] };
        var route = Route(reported, Condition("RetryPolicyApplied", "False", "InvalidAnnotation", 3));

        Text(GatewayStatusTranslator.Translate(Gateway("HTTP"), route, [], Now).Conditions)
            .Should()
            .Contain("Programmed True Programmed 3");
    }

    [Fact]
    public void Unknown_fields_are_those_of_the_report_or_else_of_the_existing_status()
    {
        var gateway = Gateway("HTTP");
        gateway.Status = new GatewayStatus { Unknown = Field("existing") };
        var reported = new GatewayStatus { Unknown = Field("reported") };

        GatewayStatusTranslator.Translate(gateway, Route(reported), [], Now).Unknown!.Keys.Should().Equal("reported");
        GatewayStatusTranslator.Translate(gateway, null, [], Now).Unknown!.Keys.Should().Equal("existing");
    }

    /// <summary>The Go manager reports neither the generation of the generated object nor that of the tenant's.</summary>
    [Theory]
    [InlineData(4L, "Accepted True Accepted 3")]
    [InlineData(null, "Accepted Unknown Pending 5")]
    public void Report_of_the_Go_manager_has_the_generation_of_the_annotation(long? observed, string expected)
    {
        var gateway = Gateway("HTTP");
        gateway.Metadata.Generation = 5;
        var route = Route(new GatewayStatus { Conditions = [Condition("Accepted", "True", "Accepted", observed)] });
        route.Status!.Resources!.Route!.SourceGeneration = null;
        route.Status.Resources.Route.Generation = null;

        Text(GatewayStatusTranslator.Translate(gateway, route, [], Now).Conditions).Should().Contain(expected);
    }

    [Fact]
    public void Failure_reported_by_the_Go_manager_has_the_generation_of_the_annotation()
    {
        var route = Route(new GatewayStatus(), Condition("ResourceAppliedSuccessfully", "False", "InstallationFailed", null));

        ReportedStatus.Read(route).FailureGeneration.Should().Be(3);
        route.Metadata.Annotations!.Clear();
        ReportedStatus.Read(route).FailureGeneration.Should().BeNull();
    }

    [Fact]
    public void Status_is_released_although_its_generations_are_older()
    {
        var gateway = Gateway("HTTPS");
        var certificates = new[] { new ListenerCertificate("https", 0, "default", "c", new Rejection("InvalidCertificateRef", "missing")) };
        var route = Route(
            new GatewayStatus
            {
                Conditions = [Condition("Accepted", "True", "Accepted", 4), Condition("Programmed", "True", "Programmed", 4)],
                Listeners = [new ListenerStatus { Name = "https", Conditions = [Condition("Accepted", "True", "Accepted", 4)] }],
            }
        );
        gateway.Status = GatewayStatusTranslator.Translate(gateway, route, certificates, Before);
        gateway.Status.Conditions!.ForEach(c => c.ObservedGeneration = 1);
        gateway.Status.Listeners!.ForEach(l => l.Conditions!.ForEach(c => c.ObservedGeneration = 2));

        var released = GatewayStatusTranslator.Release(gateway, route, certificates, Now);

        Text(released!.Conditions).Should().Equal("Accepted Unknown Pending 3", "Programmed Unknown Pending 3");
    }

    [Fact]
    public void Status_without_a_Route_is_released_if_KubeLB_reported_invalid_listeners()
    {
        var gateway = Gateway("TCP");
        gateway.Status = InvalidListeners.Status(gateway, Before);

        var released = GatewayStatusTranslator.Release(gateway, null, [], Now);

        Text(released!.Conditions).Should().Equal("Accepted Unknown Pending 3", "Programmed Unknown Pending 3");
        released.Listeners.Should().BeNull();
    }

    [Theory]
    [InlineData("Accepted", "ListenersNotValid", "written by another controller")]
    [InlineData("Accepted", "Invalid", null)]
    [InlineData("Programmed", "ListenersNotValid", null)]
    public void Status_of_another_controller_without_a_Route_is_unchanged(string type, string reason, string? message)
    {
        var gateway = Gateway("TCP");
        var condition = Condition(type, "False", reason, 3);
        condition.Message = message ?? GatewayMessages.NoListenerValid;
        gateway.Status = new GatewayStatus { Conditions = [condition] };

        GatewayStatusTranslator.Release(gateway, null, [], Now).Should().BeNull();
        GatewayStatusTranslator.Release(Gateway("TCP"), null, [], Now).Should().BeNull("it has no status");
    }

    [Fact]
    public void Conflict_of_listeners_is_reported_with_their_own_names()
    {
        var gateway = Gateway("HTTP", "HTTPS");
        gateway.Spec!.Listeners![1].Protocol = "HTTP";
        var conflict = Condition("Conflicted", "True", "HostnameConflict", 4);
        conflict.Message = "conflicting listeners: tenant-t1/default-gw/http, tenant-t1/default-gw/https";
        var reported = new GatewayStatus { Listeners = [new ListenerStatus { Name = "http", Conditions = [conflict] }] };

        GatewayStatusTranslator
            .Translate(gateway, Route(reported), [], Now)
            .Listeners!.Single()
            .Conditions!.Single()
            .Message.Should()
            .Be("Listeners http, https use port 80 without a hostname, so none of them is served. Give each its own hostname or port.");
    }

    [Fact]
    public void Gateway_without_a_programmed_listener_is_not_programmed()
    {
        var gateway = Gateway("HTTP", "HTTPS");
        gateway.Spec!.Listeners![1].Port = 443;
        var reported = new GatewayStatus
        {
            Addresses = [new GatewayAddress { Type = "IPAddress", Value = "203.0.113.10" }],
            Conditions = [Condition("Accepted", "True", "Accepted", 4), Condition("Programmed", "True", "Programmed", 4)],
            Listeners =
            [
                new ListenerStatus { Name = "http", Conditions = [Condition("Programmed", "False", "Invalid", 4)] },
                new ListenerStatus { Name = "https", Conditions = [Condition("Programmed", "False", "Invalid", 4)] },
            ],
        };

        var status = GatewayStatusTranslator.Translate(gateway, Route(reported), [], Before);
        gateway.Status = status;
        var again = GatewayStatusTranslator.Translate(gateway, Route(reported), [], Now);

        Text(status.Conditions).Should().Equal("Accepted True Accepted 3", "Programmed False Invalid 3");
        status.Addresses.Should().BeNull("clients cannot connect to it");
        status.Conditions![1].Message.Should().EndWith(" See also the conditions of the other listeners.");
        again.Should().BeEquivalentTo(status, "the transition times do not change");

        reported.Listeners![0].Conditions![0].Status = "True";
        Text(GatewayStatusTranslator.Translate(gateway, Route(reported), [], Now).Conditions)
            .Should()
            .Contain("Programmed True Programmed 3");
    }

    /// <summary>Envoy Gateway reports only Programmed.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void HTTPS_listener_without_a_certificate_reports_how_to_create_one(bool hasTls)
    {
        const string Message =
            "Protocol HTTPS requires a certificate. Set tls.certificateRefs to a Secret created with: "
            + "kubectl -n default create secret tls NAME --cert=FILE --key=FILE";
        var gateway = Gateway("HTTPS");
        gateway.Spec!.Listeners![0].Tls = hasTls ? new ListenerTls { Mode = "Terminate" } : null;
        var reported = new GatewayStatus
        {
            Conditions = [Condition("Accepted", "True", "Accepted", 4), Condition("Programmed", "True", "Programmed", 4)],
            Listeners =
            [
                new ListenerStatus
                {
                    Name = "https",
                    Conditions = [Condition("Programmed", "False", "Invalid", 4), Condition("ResolvedRefs", "True", "ResolvedRefs", 4)],
                },
            ],
        };

        var status = GatewayStatusTranslator.Translate(gateway, Route(reported), [], Now);

        status
            .Listeners!.Single()
            .Conditions!.Select(c => $"{c.Type} {c.Status} {c.Reason} {c.Message}")
            .Should()
            .Equal($"ResolvedRefs False InvalidCertificateRef {Message}", $"Programmed False Invalid {Message}");
        status
            .Conditions!.Single(c => c.Type == "Programmed")
            .Message.Should()
            .Be($"No listener of this Gateway is served. Listener https: {Message}");
        GatewayStatusEvents
            .Between(null, status)
            .Where(e => e.IsWarning)
            .Select(e => $"{e.Reason} {e.Message}")
            .Should()
            .Equal([$"InvalidCertificateRef Listener https: {Message}"], "the Gateway's Event would repeat that of its listener");
    }

    [Fact]
    public void Reported_condition_of_an_older_object_is_Unknown()
    {
        var gateway = Gateway("HTTP");
        gateway.Status = new GatewayStatus { Conditions = [Condition("Accepted", "True", "Accepted", 2)] };
        var reported = new GatewayStatus { Conditions = [Condition("Accepted", "True", "Accepted", 1)] };

        var accepted = GatewayStatusTranslator.Translate(gateway, Route(reported), [], Now).Conditions!.Find(c => c.Type == "Accepted")!;

        (accepted.Status, accepted.Reason, accepted.ObservedGeneration).Should().Be(("Unknown", "Pending", 3));
        accepted.Message.Should().Be("The gateway of the management cluster has not processed this change yet.");
    }

    [Fact]
    public void Invalid_listener_keeps_the_transition_time_of_its_own_condition()
    {
        var gateway = Gateway("TCP", "HTTP");
        gateway.Status = new GatewayStatus
        {
            Listeners =
            [
                new ListenerStatus { Name = "http", Conditions = [Condition("Programmed", "False", "Invalid", 1, "2024-01-01T00:00:00Z")] },
                new ListenerStatus { Name = "tcp", Conditions = [Condition("Programmed", "False", "Invalid", 1)] },
            ],
        };

        var listeners = GatewayStatusTranslator.Translate(gateway, Route(new GatewayStatus { Listeners = [] }), [], Now).Listeners!;

        listeners.Single(l => l.Name == "tcp").Conditions!.Single(c => c.Type == "Programmed").LastTransitionTime.Should().Be(Before);
    }

    [Fact]
    public void Listener_of_TLS_has_one_condition_of_each_type()
    {
        var status = InvalidListeners.Status(Gateway("TLS"), Now);

        Text(status.Listeners!.Single().Conditions)
            .Should()
            .Equal("Accepted False UnsupportedProtocol 3", "ResolvedRefs False InvalidRouteKinds 3", "Programmed False Invalid 3");
    }

    [Fact]
    public void Accepted_GatewayClass_keeps_the_conditions_of_others()
    {
        var gatewayClass = new GatewayClass
        {
            Metadata = new() { Generation = 2 },
            Status = new GatewayClassStatus
            {
                Conditions = [Condition("Accepted", "Unknown", "Pending", 1), Condition("SupportedVersion", "True", "SupportedVersion", 1)],
            },
        };

        Text(GatewayClassStatusTranslator.Translate(gatewayClass, Now).Conditions)
            .Should()
            .Equal("Accepted True Accepted 2", "SupportedVersion True SupportedVersion 1");
    }

    private static IEnumerable<string> Text(List<Condition>? conditions) =>
        conditions!.Select(c => $"{c.Type} {c.Status} {c.Reason} {c.ObservedGeneration}");

    private static Dictionary<string, JsonElement> Field(string name) => new() { [name] = JsonSerializer.SerializeToElement(1) };

    private static Gateway Gateway(params string[] protocols) =>
        new()
        {
            Metadata = new()
            {
                Name = "gw",
                NamespaceProperty = "default",
                Generation = 3,
            },
            Spec = new GatewaySpec
            {
                Listeners =
                [
                    .. protocols.Select(p => new Listener
                    {
                        Name = p.ToLowerInvariant(),
                        Port = 80,
                        Protocol = p,
                    }),
                ],
            },
        };

    private static Route Route(GatewayStatus reported, params Condition[] conditions) =>
        new()
        {
            Metadata = new()
            {
                Name = "r",
                Annotations = new Dictionary<string, string> { [Annotations.SourceGeneration] = "3" },
            },
            Status = new RouteStatus
            {
                Resources = new RouteResources
                {
                    Route = new GeneratedObject
                    {
                        Kind = "Gateway",
                        GeneratedName = "default-gw",
                        SourceGeneration = 3,
                        Generation = 4,
                        Status = ApiJson.ToJson(reported),
                        Conditions = [.. conditions],
                    },
                },
            },
        };

    private static Condition Condition(string type, string status, string reason, long? generation, string since = Before) =>
        new()
        {
            Type = type,
            Status = status,
            Reason = reason,
            Message = "m",
            ObservedGeneration = generation,
            LastTransitionTime = since,
        };
}
