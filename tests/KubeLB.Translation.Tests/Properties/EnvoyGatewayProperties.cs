using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Fields;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Properties;

/// <summary>What holds for every Route, whoever wrote it.</summary>
public sealed class EnvoyGatewayProperties
{
    private const int Iterations = 1000;

    private static readonly Gen<NameHolder> Holders = Gen.Int[0, 3]
        .Select(i =>
            i switch
            {
                0 => new NameHolder(IsTaken: true, "3c1553e0"),
                1 => new NameHolder(IsTaken: true, "another"),
                2 => new NameHolder(IsTaken: true, null),
                _ => NameHolder.Free,
            }
        );

    [Fact]
    public void Valid_route_of_every_kind_is_translated()
    {
        for (var i = 0; i < HostileRoutes.Count; i++)
        {
            var translation = Translate(ApiJson.Read<Route>(HostileRoutes.Good(i)), NameHolder.Free);

            translation.Problem.Should().BeNull();
            translation.Generated.Should().NotBeNull();
            translation
                .Services.Should()
                .HaveCount(
                    translation.Origin!.Kind switch
                    {
                        "Gateway" => 0,
                        "HTTPRoute" => 2,
                        _ => 1,
                    }
                );
        }
    }

    [Theory]
    [InlineData("""{ "metadata": { "name": "web", "namespace": "bench", "labels": { "kubelb.k8c.io/origin-name": null } } }""")]
    [InlineData("""{ "metadata": { "name": "web", "namespace": "bench", "labels": { "app": null } } }""")]
    [InlineData("""{ "metadata": { "name": "web", "namespace": "bench", "labels": null }, "spec": { "ports": null } }""")]
    [InlineData("""{ "metadata": { "name": "web", "namespace": "bench" }, "spec": { "ports": [null] } }""")]
    [InlineData("""{ "metadata": { "name": "web", "namespace": "bench" }, "spec": null }""")]
    [InlineData("""{ "metadata": { "name": "web" } }""")]
    [InlineData("""{ "metadata": null }""")]
    [InlineData("{}")]
    [InlineData("null")]
    [Trait("Threat", "malformed-input")]
    public void Source_Service_with_nulls_does_not_throw(string service)
    {
        var json = HostileRoutes.Good(source: 1);
        json["spec"]!["source"]!["kubernetes"]!["services"] = new JsonArray(JsonNode.Parse(service));

        var translation = Translate(ApiJson.Read<Route>(json), NameHolder.Free);

        (translation.Problem is null).Should().Be(translation.Generated is not null);
    }

    [Theory]
    [InlineData(0, "listeners.1.tls", "frontendValidation", """{ "caCertificateRefs": [{ "name": "ca", "namespace": "kube-system" }] }""")]
    [InlineData(0, "", "tls", """{ "backend": { "clientCertificateRef": { "name": "c", "namespace": "kube-system" } } }""")]
    [InlineData(0, "listeners.0", "newRef", """{ "name": "c", "namespace": "kube-system" }""")]
    [InlineData(1, "rules.0.filters.0", "externalAuth", """{ "backendRef": { "name": "auth", "namespace": "kube-system" } }""")]
    [InlineData(1, "rules.0", "newRefs", """[{ "name": "auth", "namespace": "kube-system" }]""")]
    [InlineData(2, "rules.0", "filters", """[{ "type": "X", "x": { "namespace": "kube-system" } }]""")]
    [Trait("Threat", "foreign-references")]
    public void Reference_in_another_field_is_never_generated(int source, string place, string field, string value)
    {
        var json = HostileRoutes.Good(source);
        var node = json["spec"]!["source"]!["kubernetes"]!["resource"]!["spec"]!;
        foreach (var step in place.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            node = int.TryParse(step, out var index) ? node[index]! : node[step]!;
        }

        node[field] = JsonNode.Parse(value);

        var translation = Translate(ApiJson.Read<Route>(json), NameHolder.Free);

        (translation.Generated is null ? "" : ApiJson.ToJson(translation.Generated).ToJsonString()).Should().NotContain("kube-system");
        (translation.Problem ?? translation.IgnoredFields ?? string.Join(' ', translation.UnservedListeners)).Should().NotBeEmpty();
    }

    [Fact]
    [Trait("Threat", "foreign-references")]
    public void Generated_objects_have_only_fields_that_the_tables_permit()
    {
        var checkedFields = 0;
        Sample(
            (route, holder) =>
            {
                if (Translate(route, holder).Generated is not { } generated)
                {
                    return;
                }

                foreach (var path in LeavesOf(ApiJson.ToJson(generated)["spec"], "spec"))
                {
                    FieldDecisions
                        .Of(generated.Kind)
                        .RuleOf(path)
                        ?.Decision.Should()
                        .BeOneOf([FieldDecision.Passed, FieldDecision.Checked, FieldDecision.Rewritten], path);
                    FieldDecisions.Of(generated.Kind).RuleOf(path).Should().NotBeNull(path);
                    Interlocked.Increment(ref checkedFields);
                }
            }
        );

        checkedFields.Should().BeGreaterThan(Iterations);
    }

    [Fact]
    [Trait("Threat", "malformed-input")]
    public void Translation_never_throws_and_has_one_result()
    {
        var translated = 0;
        var rejected = 0;
        Sample(
            (route, holder) =>
            {
                var translation = Translate(route, holder);

                // A Gateway that is served is generated without its rejected fields.
                var isServed = translation is { Generated.Kind: "Gateway", Problem: not null };
                new object?[] { translation.Generated, isServed ? null : translation.Problem, translation.WaitingFor }
                    .Count(answer => answer is not null)
                    .Should()
                    .Be(1);
                Interlocked.Increment(ref translation.Generated is null ? ref rejected : ref translated);
                if (translation.Generated is null)
                {
                    translation.Services.Should().BeEmpty();
                }
            }
        );

        translated.Should().BeGreaterThan(Iterations / 20, "the changes must leave something to translate");
        rejected.Should().BeGreaterThan(Iterations / 20, "the changes must do harm");
    }

    [Fact]
    [Trait("Threat", "names-outside-namespace")]
    [Trait("Threat", "forged-metadata")]
    public void Generated_objects_are_in_the_namespace_of_the_Route() =>
        Sample(
            (route, holder) =>
            {
                foreach (var metadata in Metadata(Translate(route, holder)))
                {
                    metadata.NamespaceProperty.Should().Be("tenant-t");
                    metadata.Name.Should().NotBeNullOrEmpty();
                    metadata
                        .OwnerReferences.Should()
                        .ContainSingle()
                        .Which.Should()
                        .BeEquivalentTo(
                            new
                            {
                                Kind = "Route",
                                Uid = "3c1553e0",
                                Controller = true,
                                Name = "8604bad4-0a6f-4a7b-8e68-b56f2245fb50",
                            }
                        );
                    metadata.Finalizers.Should().BeNull();
                    (metadata.Annotations?.Keys ?? []).Should().BeSubsetOf([Annotations.NodePorts]);
                    metadata.Labels["kubelb.k8c.io/managed-by"].Should().Be("kubelb");
                    metadata.Labels.Should().NotContainKey("kubelb.k8c.io/tenant");
                    metadata.Labels.Values.Should().NotContainNulls();
                }
            }
        );

    [Fact]
    [Trait("Threat", "foreign-references")]
    public void Generated_objects_do_not_refer_to_other_namespaces() =>
        Sample(
            (route, holder) =>
            {
                if (Translate(route, holder).Generated is { } generated)
                {
                    PathsOf("namespace", ApiJson.ToJson(generated)["spec"], "spec").Should().BeEmpty();
                }
            }
        );

    [Fact]
    [Trait("Threat", "service-types")]
    public void Generated_Services_select_the_proxy_of_the_tenant() =>
        Sample(
            (route, holder) =>
            {
                foreach (var plan in Translate(route, holder).Services)
                {
                    plan.Service.Spec.Type.Should().Be("ClusterIP");
                    plan.Service.Spec.Selector.Should().Equal(new Dictionary<string, string> { ["app.kubernetes.io/name"] = "tenant-t" });
                    plan.Service.Spec.ExternalName.Should().BeNull();
                    plan.Service.Spec.ExternalIPs.Should().BeNull();
                    plan.Service.Spec.Ports.All(p => p.NodePort is null && p.TargetPort.Value == "10000").Should().BeTrue();
                }
            }
        );

    [Fact]
    public void Translation_is_deterministic_and_does_not_modify_its_input() =>
        Sample(
            (route, holder) =>
            {
                var view = new ManagementStub(holder);
                var before = ApiJson.ToJson(route).ToJsonString();
                var gatewayBefore = ApiJson.ToJson(view.Named).ToJsonString();

                var first = Text(Translate(route, view));
                var second = Text(Translate(route, view));
                var ofACopy = Text(Translate(ApiJson.Copy(route), view));

                second.Should().Be(first);
                ofACopy.Should().Be(first);
                ApiJson.ToJson(route).ToJsonString().Should().Be(before);
                ApiJson.ToJson(view.Named).ToJsonString().Should().Be(gatewayBefore);
            }
        );

    [Fact]
    public void Route_with_any_spec_is_readable() =>
        Gen.Select(HostileRoutes.Json, Holders)
            .Sample(
                (json, _) =>
                {
                    // Metadata has a schema in every definition, and the test reads no deeper than 64 levels.
                    if (Depth(json) < 64 && Read(json) is null)
                    {
                        json.Remove("spec");
                        Read(json).Should().BeNull("something else cannot be read");
                    }
                },
                iter: Iterations,
                print: sample => sample.Item1.ToJsonString()
            );

    private static int Depth(JsonNode? node) =>
        node switch
        {
            JsonObject json => 1 + json.Select(field => Depth(field.Value)).DefaultIfEmpty().Max(),
            JsonArray array => 1 + array.Select(Depth).DefaultIfEmpty().Max(),
            _ => 0,
        };

    private static void Sample(Action<Route, NameHolder> check) =>
        Gen.Select(HostileRoutes.Json, Holders)
            .Sample(
                (json, holder) =>
                {
                    // What is no Route at all never gets this far.
                    if (Read(json) is { } route)
                    {
                        check(route, holder);
                    }
                },
                iter: Iterations,
                print: sample => sample.Item1.ToJsonString()
            );

    private static Route? Read(JsonObject json)
    {
        try
        {
            return ApiJson.Read<Route>(json);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or NotSupportedException)
        {
            return null;
        }
    }

    private static EnvoyGatewayTranslation Translate(Route route, NameHolder holder) => Translate(route, new ManagementStub(holder));

    private static EnvoyGatewayTranslation Translate(Route route, ManagementStub view) =>
        EnvoyGatewayTranslator.Translate(route, TenantPolicy.Default, view, _ => 10_000);

    private static IEnumerable<V1ObjectMeta> Metadata(EnvoyGatewayTranslation translation) =>
        translation.Services.Select(plan => plan.Service.Metadata).Concat(translation.Generated is { } g ? [g.Metadata] : []);

    private static string Text(EnvoyGatewayTranslation translation) =>
        string.Join(
            '\n',
            [
                translation.Problem ?? "",
                translation.WaitingFor ?? "",
                $"{translation.Origin}",
                translation.Generated is { } generated ? ApiJson.ToJson(generated).ToJsonString() : "",
                .. translation.Services.Select(plan => plan.Key + ApiJson.ToJson(plan.Service).ToJsonString()),
            ]
        );

    private static IEnumerable<string> LeavesOf(JsonNode? node, string path) =>
        node switch
        {
            JsonObject json => json.SelectMany(field => LeavesOf(field.Value, $"{path}.{field.Key}")),
            JsonArray array => array.SelectMany(item => LeavesOf(item, path)),
            _ => [path],
        };

    private static IEnumerable<string> PathsOf(string name, JsonNode? node, string path) =>
        node switch
        {
            JsonObject json => json.SelectMany(field =>
                PathsOf(name, field.Value, $"{path}.{field.Key}").Concat(field.Key == name ? [$"{path}.{name}"] : [])
            ),
            JsonArray array => array.SelectMany((item, i) => PathsOf(name, item, $"{path}[{i}]")),
            _ => [],
        };
}
