using System.Text.Json.Nodes;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.TestClusters;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>
/// This version beside others: it adopts what an earlier version wrote, and works with a manager or CCM that is one minor version newer. A
/// newer version is simulated: its CRDs have fields that no type of this version has.
/// </summary>
public sealed class VersionSkewTests
{
    private const string Ns = BareManagement.TenantNamespace;
    private const string Future = """{"since":"v9","items":[1,{"a":"b"}]}""";

    public static TheoryData<string> Versions =>
        [.. Directory.GetDirectories(RecordedState.Folder, "v*").Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Objects_of_an_earlier_version_are_adopted_without_replacement_or_renaming(string version)
    {
        var pair = new TlsPair("api.example.com");
        var recording = RecordedState
            .Of(version)
            .With(RecordedState.CertificateMark, pair.Certificate)
            .With(RecordedState.KeyMark, pair.Key);
        await using var recorded = await RecordedFixture.StartAsync(recording, """{"replicas":2,"image":"example.com/envoy:v1.36.4"}""");
        var fixture = recorded.Fixture;
        var before = await recorded.GeneratedAsync();
        before.Should().Contain(o => o.StartsWith("BackendTrafficPolicy ")).And.Contain(o => o.StartsWith("GRPCRoute "));

        await fixture.StartManagerAsync();
        await fixture.Management.WaitAsync<Tenant>("", "t1", t => TenantConditions.Says(t, TenantPhases.Ready), "is ready");
        await fixture.SettleAsync();
        (await recorded.GeneratedAsync()).Should().Equal(before, "a manager that starts changes none of them");

        await fixture.StartCcmAsync();
        await recorded.WaitForAddressAsync("default", "my-gateway", "default-my-gateway");
        await fixture.ExpectBackendAsync("api.example.com");
        await fixture.Tenant.WaitAsync<GrpcRoute>(
            "shop",
            "cart",
            r => Statuses.IsAccepted(r) && Statuses.IsResolved(r),
            "is accepted and resolved"
        );
        await fixture.SettleAsync();

        (await recorded.GeneratedAsync()).Should().Equal(before, "the CCM finds its Routes");
        fixture.Writes().Where(r => r.Verb.StartsWith("delete", StringComparison.Ordinal)).Should().BeEmpty();
        var routes = await fixture.Management.ListAsync<Route>(Ns);
        routes.Should().HaveCount(3).And.OnlyContain(r => r.Status!.Conditions!.Any(c => c.Type == RouteConditions.Programmed && c.IsTrue));
    }

    [Fact]
    public async Task Route_of_a_newer_CCM_is_served_and_keeps_unknown_fields()
    {
        await using var fixture = await StartAsync();
        using var management = new RawObjects((ITestCluster)fixture.Sandbox.Management);
        await fixture.StopCcmAsync();
        var name = (await fixture.Tenant.GetAsync<HttpRoute>("default", "api-route"))!.Metadata.Uid;
        var route = (await management.GetAsync("Route", Ns, name))!;
        var kubernetes = route["spec"]!["source"]!["kubernetes"]!;
        route["metadata"]!["annotations"]!["kubelb.k8c.io/later"] = "x";
        route["spec"]!["later"] = JsonNode.Parse(Future);
        route["spec"]!["endpoints"]![0]!["later"] = JsonNode.Parse(Future);
        kubernetes["later"] = JsonNode.Parse(Future);
        kubernetes["resource"]!["later"] = JsonNode.Parse(Future);
        kubernetes["resource"]!["spec"]!["later"] = JsonNode.Parse(Future);
        kubernetes["resource"]!["spec"]!["hostnames"]![0] = "newer.example.com";
        kubernetes["services"]![0]!["spec"]!["later"] = JsonNode.Parse(Future);
        kubernetes["services"]![0]!["spec"]!["ports"]![0]!["later"] = JsonNode.Parse(Future);
        await management.ReplaceAsync(route);

        await fixture.ExpectBackendAsync("newer.example.com");
        await fixture.Management.WaitAsync<Route>(
            Ns,
            name,
            r =>
                r.Status?.Conditions?.Any(c =>
                    c.Type == RouteConditions.Accepted && c.IsTrue && c.ObservedGeneration == r.Metadata.Generation
                ) == true,
            "is accepted"
        );
        await fixture.SettleAsync();

        var kept = (await management.GetAsync("Route", Ns, name))!;
        JsonNode.DeepEquals(kept["spec"], route["spec"]).Should().BeTrue($"the spec belongs to the CCM, and is {kept["spec"]}");
        kept["metadata"]!["annotations"]!["kubelb.k8c.io/later"]!.GetValue<string>().Should().Be("x");
    }

    [Fact]
    public async Task Status_of_a_newer_manager_is_reported_and_rewritten_after_a_downgrade()
    {
        await using var fixture = await StartAsync();
        using var management = new RawObjects((ITestCluster)fixture.Sandbox.Management);
        await fixture.StopManagerAsync();
        var name = (await fixture.Tenant.GetAsync<HttpRoute>("default", "api-route"))!.Metadata.Uid;
        var status = (await management.GetAsync("Route", Ns, name))!["status"]!;
        status["later"] = JsonNode.Parse(Future);
        status["conditions"]!.AsArray().Add(LaterCondition());
        status["conditions"]![0]!["later"] = "x";
        status["resources"]!["later"] = JsonNode.Parse(Future);
        var generated = status["resources"]!["route"]!;
        generated["later"] = JsonNode.Parse(Future);
        generated["conditions"]!.AsArray().Add(LaterCondition());
        generated["status"]!["parents"]![0]!["later"] = JsonNode.Parse(Future);
        generated["status"]!["parents"]![0]!["conditions"]![0]!["message"] = "Accepted by a later version";
        status["resources"]!["services"]!["default/api-backend"]!["later"] = JsonNode.Parse(Future);
        await management.PatchAsync("Route", Ns, name, new JsonObject { ["status"] = status.DeepClone() }, "status");
        await management.PatchAsync(
            "TenantState",
            Ns,
            "default",
            JsonNode
                .Parse(
                    $$$"""{"status":{"later":{{{Future}}},"gatewayAPI":{"disableTCPRoute":true}"""
                        + ""","version":{"gitVersion":"v9.0.0","later":1} } }"""
                )!
                .AsObject(),
            "status"
        );

        await fixture.Tenant.WaitAsync<HttpRoute>(
            "default",
            "api-route",
            r => Statuses.IsAccepted(r) && Statuses.Condition(r, "Accepted")!.Message == "Accepted by a later version",
            "has the message of the newer manager"
        );
        await fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["edited.example.com"]}}""");
        await fixture.StartManagerAsync();

        await fixture.ExpectBackendAsync("edited.example.com");
        await fixture.SettleAsync();
        var after = (await management.GetAsync("Route", Ns, name))!["status"]!;
        after["conditions"]!
            .AsArray()
            .Select(c => c!["type"]!.GetValue<string>())
            .Should()
            .Equal([RouteConditions.Accepted, RouteConditions.Programmed], "conditions of no known type are removed");
        after["resources"]!["route"]!["conditions"]!.AsArray().Should().ContainSingle();
        after["resources"]!["route"]!["generatedName"]!.GetValue<string>().Should().Be("default-api-route");
        (await management.GetAsync("TenantState", Ns, "default"))!["status"]!["version"]!["gitVersion"]!
            .GetValue<string>()
            .Should()
            .NotBe("v9.0.0");
    }

    [Fact]
    public async Task Settings_and_Addresses_with_unknown_fields_are_used()
    {
        await using var fixture = await StartAsync();
        using var management = new RawObjects((ITestCluster)fixture.Sandbox.Management);
        var later =
            $$$"""{"metadata":{"annotations":{"kubelb.k8c.io/later":"x"}},"spec":{"later":{{{Future}}}"""
            + $$$""","gatewayAPI":{"later":{{{Future}}} },"envoyProxy":{"later":{{{Future}}} } }}""";
        await management.PatchAsync("Config", "kubelb", "default", JsonNode.Parse(later)!.AsObject());
        await management.PatchAsync("Tenant", "", "t1", JsonNode.Parse(later)!.AsObject());
        await management.PatchAsync(
            "Tenant",
            "",
            "t1",
            JsonNode.Parse($$"""{"status":{"later":{{Future}},"conditions":[{{LaterCondition()}}]} }""")!.AsObject(),
            "status"
        );
        var addresses = (await management.GetAsync("Addresses", Ns, "default"))!;
        addresses["metadata"]!["annotations"]!["kubelb.k8c.io/later"] = "x";
        addresses["spec"]!["later"] = JsonNode.Parse(Future);
        addresses["spec"]!["addresses"]![0]!["later"] = "zone-a";
        await management.ReplaceAsync(addresses);

        await fixture.RestartManagerAsync();
        await fixture.RestartCcmAsync();
        await fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", """{"spec":{"hostnames":["edited.example.com"]}}""");

        await fixture.ExpectBackendAsync("edited.example.com");
        await fixture.Management.WaitAsync<Tenant>("", "t1", t => TenantConditions.Says(t, TenantPhases.Ready), "is ready");
        await fixture.SettleAsync();
        (await management.GetAsync("Config", "kubelb", "default"))!["spec"]!["later"].Should().NotBeNull();
        (await management.GetAsync("Tenant", "", "t1"))!["spec"]!["later"].Should().NotBeNull();
        (await management.GetAsync("Addresses", Ns, "default"))!["metadata"]!["annotations"]!["kubelb.k8c.io/later"].Should().NotBeNull();
    }

    private static JsonObject LaterCondition() =>
        new()
        {
            ["type"] = "Later",
            ["status"] = "Unknown",
            ["reason"] = "LaterReason",
            ["message"] = "Something that this version does not know.",
            ["lastTransitionTime"] = "2026-11-29T08:00:00Z",
        };

    /// <summary>An installation with the definitions of a newer version, which come first in an upgrade.</summary>
    private static async Task<SystemFixture> StartAsync()
    {
        var fixture = await SystemFixture.StartAsync();
        using var management = new RawObjects((ITestCluster)fixture.Sandbox.Management);
        foreach (
            var definition in (await management.ListAsync("CustomResourceDefinition")).Where(d =>
                RawObjects.NameOf(d).EndsWith(".kubelb.k8c.io")
            )
        )
        {
            Extend(definition["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!["properties"]!);
            await management.ReplaceAsync(definition);
        }

        await Eventually.HoldsAsync(
            async () =>
            {
                await management.PatchAsync("Tenant", "", "t1", new JsonObject { ["spec"] = new JsonObject { ["probe"] = true } });
                return (await management.GetAsync("Tenant", "", "t1"))!["spec"]!["probe"] is not null;
            },
            "the CRDs are applied"
        );
        await fixture.ApplyBasicExampleAsync();
        await fixture.SettleAsync();
        return fixture;
    }

    private static void Extend(JsonNode properties)
    {
        foreach (var schema in properties.AsObject().Where(p => p.Key != "metadata").Select(p => p.Value!.AsObject()))
        {
            ExtendOne(schema);
        }
    }

    private static void ExtendOne(JsonObject schema)
    {
        foreach (var inner in new[] { schema["items"], schema["additionalProperties"] }.OfType<JsonObject>())
        {
            ExtendOne(inner);
        }

        if (schema["properties"] is { } properties)
        {
            schema["x-kubernetes-preserve-unknown-fields"] = true;
            Extend(properties);
        }
    }
}
