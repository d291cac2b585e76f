using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Status;
using KubeLB.Translation.Tests.Attachment;

namespace KubeLB.Translation.Tests.Status;

/// <summary>The parents of a tenant's route: what the management cluster reports, and the CCM's own results.</summary>
public sealed class RouteStatusTranslatorTests
{
    private const string Before = "2026-01-01T00:00:00Z";
    private const string BackendsReady = GatewayConditions.BackendsReady;
    private const string Now = "2026-01-02T03:04:05Z";

    private static readonly Gateway TheGateway = new()
    {
        Metadata = new()
        {
            Name = "gw",
            NamespaceProperty = "default",
            Uid = "g",
        },
        Spec = new GatewaySpec(),
    };

    [Fact]
    public void Each_parentRef_has_the_report_on_its_own_listener()
    {
        var (a, b) = (Parent("a", 80), Parent("b", 80));
        var reported = new[] { Reported(a, "True", "Accepted"), Reported(b, "False", "NotAllowedByListeners") };

        Text(Translate(Source(), [a, b], reported)).Should().Equal("Accepted True Accepted", "Accepted False NotAllowedByListeners");
    }

    [Fact]
    public void Report_on_another_Gateway_is_ignored()
    {
        var parent = Parent("a", 80);
        var other = Reported(parent, "True", "Accepted");
        other.ParentRef.Name = "default-other";

        Text(Translate(Source(), [parent], [other])).Should().Equal("Accepted Unknown Pending");
    }

    [Fact]
    public void Status_of_another_controller_is_unchanged_and_not_used()
    {
        var parent = Parent("a", 80);
        var source = Source(Existing("example.com/controller", parent, "Accepted", "True"));

        var parents = Translate(source, [parent], [Reported(parent, "True", "Accepted")]).Parents;

        parents.Should().HaveCount(2);
        parents[0].Should().BeSameAs(source.Status!.Parents[0]);
        parents[1].Conditions.Single().LastTransitionTime.Should().Be(Now);
    }

    [Fact]
    public void Failure_of_a_served_route_keeps_ResolvedRefs()
    {
        var parent = Parent("a", 80);
        var source = Source(Existing(GatewayClass.KubelbController, parent, "ResolvedRefs", "True"));

        Text(Translate(source, [parent], [], Condition("ResourceAppliedSuccessfully", "False", "InstallationFailed")))
            .Should()
            .Equal("Accepted False UnsupportedValue", "ResolvedRefs True m");
    }

    [Fact]
    public void Conditions_of_the_generated_object_have_their_own_generation()
    {
        var parent = Parent("a", 80);

        Translate(
            Source(),
            [parent],
            [Reported(parent, "True", "Accepted")],
            Condition(RouteConditions.RetryPolicyApplied, "True", "Accepted", 4),
            Condition(RouteConditions.ProxyProgrammed, "False", "ProxyRejected", null)
        )
            .Parents.Single()
            .Conditions.Select(c => $"{c.Type} {c.ObservedGeneration}")
            .Should()
            .Equal("Accepted 5", $"{GatewayConditions.RetryPolicyApplied} 4", $"{GatewayConditions.ProxyProgrammed} 5");
    }

    [Theory]
    [InlineData("NotAllowedByListeners", "ManagementClusterRejected", "NoResources", "NotAllowedByListeners")]
    [InlineData(null, "ManagementClusterRejected", "NoResources", "ManagementClusterRejected")]
    [InlineData(null, null, "NoResources", "NoResources")]
    public void Rejection_of_the_parentRef_precedes_those_of_the_Route_and_the_Gateway(
        string? ofParent,
        string? ofRoute,
        string? ofGateway,
        string expected
    )
    {
        Rejection? Of(string? reason) => reason is null ? null : new Rejection(reason, "m");

        var parent = new ParentReference { Name = "gw" };
        var attachment = new ParentAttachment(parent, TheGateway, [parent], Of(ofParent)) { GatewayRejection = Of(ofGateway) };
        var translation = new RouteTranslation([attachment], new BackendResolution([], [], null), Desired: null);

        Text(RouteStatusTranslator.Translate(Source(), translation, null, View(), Now, Of(ofRoute)))
            .Should()
            .Equal($"Accepted False {expected}", "ResolvedRefs True ResolvedRefs");
    }

    /// <summary>The existing condition, whether there is a problem and whether it is too recent, and the condition that results.</summary>
    [Theory]
    [InlineData(null, false, false, null)]
    [InlineData(null, true, true, null)]
    [InlineData(null, true, false, "False NoReadyEndpoints")]
    [InlineData("True", false, false, "True BackendsReady")]
    [InlineData("True", true, true, "True m")]
    [InlineData("True", true, false, "False NoReadyEndpoints")]
    [InlineData("False", false, false, "True BackendsReady")]
    [InlineData("False", true, true, "False m")]
    public void BackendsReady_is_set_only_after_a_problem(string? existing, bool isUnready, bool isDelayed, string? expected)
    {
        var parent = Parent("a", 80);
        var source = existing is null ? Source() : Source(Existing(GatewayClass.KubelbController, parent, BackendsReady, existing));
        var translation = new RouteTranslation(
            [new ParentAttachment(parent, TheGateway, [parent], Rejection: null)],
            new BackendResolution([], [], null),
            Desired: null
        );
        var readiness = new ReadinessReport(isUnready ? new Rejection("NoReadyEndpoints", "No.") : null, isDelayed);

        Text(RouteStatusTranslator.Translate(source, translation, null, View(), Now, rejection: null, readiness))
            .Where(c => c.StartsWith(BackendsReady, StringComparison.Ordinal))
            .Should()
            .Equal(expected is null ? [] : [$"{BackendsReady} {expected}"]);
    }

    [Fact]
    public void Status_is_pending_only_without_an_existing_one_and_without_a_result()
    {
        var parent = Parent("a", 80);
        var pending = Translate(Source(), [parent], []);
        var answered = Translate(Source(), [parent], [Reported(parent, "True", "Accepted")]);
        var half = new RouteParentsStatus { Parents = [.. pending.Parents, .. answered.Parents] };

        RouteStatusTranslator.IsPendingOnly(Source(), pending).Should().BeTrue();
        RouteStatusTranslator.IsPendingOnly(Source(), answered).Should().BeFalse();
        RouteStatusTranslator.IsPendingOnly(Source(), half).Should().BeFalse();
        RouteStatusTranslator
            .IsPendingOnly(Source(Existing(GatewayClass.KubelbController, parent, "Accepted", "True")), pending)
            .Should()
            .BeFalse("an existing status is updated immediately");
        RouteStatusTranslator
            .IsPendingOnly(Source(Existing("example.com/controller", parent, "Accepted", "True")), pending)
            .Should()
            .BeTrue("the status of another controller is ignored");
    }

    private static RouteParentsStatus Translate(
        HttpRoute source,
        ParentReference[] parents,
        RouteParentStatus[] reported,
        params Condition[] conditions
    )
    {
        var route = new Route
        {
            Status = new RouteStatus
            {
                Resources = new RouteResources
                {
                    Route = new GeneratedObject
                    {
                        GeneratedName = "default-r",
                        SourceGeneration = 5,
                        Generation = 7,
                        Status = ApiJson.ToJson(new RouteParentsStatus { Parents = [.. reported] }),
                        Conditions = [.. conditions],
                    },
                },
            },
        };
        var translation = new RouteTranslation(
            [.. parents.Select(p => new ParentAttachment(p, TheGateway, [p], Rejection: null))],
            new BackendResolution([], [], null),
            Desired: null
        );
        return RouteStatusTranslator.Translate(source, translation, route, View(), Now);
    }

    private static TenantStub View()
    {
        var gateway = SourceResource.Wrap(TheGateway, ApiJson.ToJson(TheGateway.Spec!), services: null, "tenant-t");
        gateway.Status = new RouteStatus
        {
            Resources = new RouteResources { Route = new GeneratedObject { GeneratedName = "default-gw" } },
        };
        return new TenantStub { Routes = { gateway } };
    }

    private static IEnumerable<string> Text(RouteParentsStatus status) =>
        status.Parents.SelectMany(p => p.Conditions).Select(c => $"{c.Type} {c.Status} {c.Reason}");

    private static HttpRoute Source(params RouteParentStatus[] parents) =>
        new()
        {
            Metadata = new()
            {
                Name = "r",
                NamespaceProperty = "default",
                Generation = 5,
            },
            Status = parents.Length == 0 ? null : new RouteParentsStatus { Parents = [.. parents] },
        };

    private static ParentReference Parent(string section, int port) =>
        new()
        {
            Name = "gw",
            SectionName = section,
            Port = port,
        };

    private static RouteParentStatus Reported(ParentReference parent, string accepted, string reason)
    {
        var generated = ApiJson.Copy(parent);
        generated.Name = "default-gw";
        return new RouteParentStatus
        {
            ParentRef = generated,
            ControllerName = "envoy",
            Conditions = [Condition("Accepted", accepted, reason, 7)],
        };
    }

    private static RouteParentStatus Existing(string controller, ParentReference parent, string type, string status) =>
        new()
        {
            ParentRef = parent,
            ControllerName = controller,
            Conditions = [Condition(type, status, "m")],
        };

    private static Condition Condition(string type, string status, string reason, long? generation = 5) =>
        new()
        {
            Type = type,
            Status = status,
            Reason = reason,
            Message = "m",
            ObservedGeneration = generation,
            LastTransitionTime = Before,
        };
}
