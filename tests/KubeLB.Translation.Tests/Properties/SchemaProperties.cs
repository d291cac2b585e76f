using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Tests.Shared;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Properties;

/// <summary>
/// What is generated from whatever a Route says, offered to an API server that holds the definitions of Gateway API and Envoy Gateway. What
/// KubeLB makes itself always fits; where the tenant's own values do not, the answer is one that becomes a condition (422, or 400), and
/// nothing is stored. The definitions are the sandbox's, and those of releases where <c>KUBELB_TEST_CRDS</c> names a folder of them.
/// </summary>
public sealed class SchemaProperties : IAsyncLifetime
{
    private const string Variable = "KUBELB_TEST_CRDS";
    private const int Iterations = 1500;

    private static readonly string[] Definitions =
    [
        "gateway.networking.k8s.io_gateways.yaml",
        "gateway.networking.k8s.io_httproutes.yaml",
        "gateway.networking.k8s.io_grpcroutes.yaml",
        "gateway.envoyproxy.io_backendtrafficpolicies.yaml",
    ];

    private static readonly string[] RetryKeys =
    [
        RetryAnnotations.RetryOn,
        RetryAnnotations.NumRetries,
        RetryAnnotations.PerTryTimeout,
        RetryAnnotations.BackOffBaseInterval,
        RetryAnnotations.BackOffMaxInterval,
    ];

    private static readonly Gen<string> RetryValue = Gen.Frequency(
        (
            6,
            OneOf("5xx", "503", "5xx, 599 ,reset", "100", "unavailable", "0", "3", "2147483647", "1s", "500ms", "1h1m1s1ms", "99999h", "0s")
        ),
        (2, OneOf("", ",", "99", "600", "-1", "2147483648", "1.5s", "100us", "1s1s1s1s1s", "٣", "5XX", "\u0000", "1s\n")),
        (1, Gen.String)
    );

    private static readonly Gen<Dictionary<string, string>> Annotations = Gen.Select(Gen.Int[0, RetryKeys.Length - 1], RetryValue)
        .Array[0, 4]
        .Select(pairs => pairs.GroupBy(p => p.Item1).ToDictionary(g => RetryKeys[g.Key], g => g.First().Item2, StringComparer.Ordinal));

    private EmbeddedCluster.EmbeddedCluster _cluster = null!;
    private IKubernetes _client = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await EmbeddedCluster.EmbeddedCluster.StartAsync();
        _client = _cluster.CreateClient("test");
        await _client.CoreV1.CreateNamespaceAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = "tenant-t" } });
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public Task Whatever_a_route_says_is_taken_by_the_sandboxs_definitions_or_refused_as_invalid() =>
        CheckAsync(Path.Combine(SourceTree.Root, "src", "KubeLB.Sandbox", "Crds"));

    [Fact]
    public async Task Whatever_a_route_says_is_taken_by_the_definitions_of_releases_or_refused_as_invalid()
    {
        var folder = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(
            string.IsNullOrEmpty(folder),
            $"{Variable} does not name a folder with CustomResourceDefinitions of releases, for instance of the Gateway API"
        );
        await CheckAsync(folder);
    }

    private async Task CheckAsync(string folder)
    {
        foreach (var file in Definitions)
        {
            var path = Directory.GetFiles(folder, file, SearchOption.AllDirectories).Should().ContainSingle($"{folder} holds {file}").Which;
            await _cluster.InstallCrdsAsync(await File.ReadAllTextAsync(path));
        }

        for (var i = 0; i < HostileRoutes.Count; i++)
        {
            foreach (var (kind, status, message) in await OfferAllAsync(Translate(ApiJson.Read<Route>(HostileRoutes.Good(i)))))
            {
                status.Should().Be(HttpStatusCode.Created, $"a good {kind} fits: {message}");
            }
        }

        var seen = new ConcurrentDictionary<(string Kind, HttpStatusCode Status), int>();
        await Gen.Select(HostileRoutes.Json, Annotations)
            .SampleAsync(
                async (json, annotations) =>
                {
                    if (Read(json, annotations) is not { } route)
                    {
                        return;
                    }

                    foreach (var (kind, status, message) in await OfferAllAsync(Translate(route)))
                    {
                        seen.AddOrUpdate((kind, status), 1, (_, count) => count + 1);

                        // 400 is for what no API server would have stored in a Route either: numbers beyond all bounds.
                        status
                            .Should()
                            .BeOneOf([HttpStatusCode.Created, HttpStatusCode.UnprocessableEntity, HttpStatusCode.BadRequest], message);
                        if (kind == BackendTrafficPolicy.KindName)
                        {
                            status.Should().Be(HttpStatusCode.Created, message);
                        }
                    }
                },
                iter: Iterations
            );

        foreach (
            var kind in new[]
            {
                Gateway.KindName,
                HttpRoute.KindName,
                GrpcRoute.KindName,
                V1Service.KubeKind,
                BackendTrafficPolicy.KindName,
            }
        )
        {
            seen.GetValueOrDefault((kind, HttpStatusCode.Created)).Should().BeGreaterThan(0, $"some {kind} must fit");
        }

        seen.Where(s => s.Key.Status == HttpStatusCode.UnprocessableEntity).Should().NotBeEmpty("the changes must do harm");
    }

    private async Task<IReadOnlyList<(string Kind, HttpStatusCode Status, string Message)>> OfferAllAsync(
        EnvoyGatewayTranslation translation
    )
    {
        var answers = new List<(string, HttpStatusCode, string)>();
        foreach (var plan in translation.Services)
        {
            answers.Add(
                await OfferAsync(
                    V1Service.KubeKind,
                    () => _client.CoreV1.CreateNamespacedServiceAsync(plan.Service, "tenant-t", dryRun: "All")
                )
            );
        }

        if (translation.Generated is { } generated)
        {
            var plural = generated switch
            {
                Gateway => Gateway.PluralName,
                HttpRoute => HttpRoute.PluralName,
                _ => GrpcRoute.PluralName,
            };
            answers.Add(
                await OfferAsync(
                    generated.Kind,
                    () =>
                        _client.CustomObjects.CreateNamespacedCustomObjectAsync(
                            ApiJson.ToJson(generated),
                            Api.ApiGroups.GatewayApi,
                            GatewayApiVersion.V1,
                            "tenant-t",
                            plural,
                            dryRun: "All"
                        )
                )
            );
        }

        if (translation.Retries?.Policy is { } policy)
        {
            policy.Namespace.Should().Be("tenant-t");
            answers.Add(
                await OfferAsync(
                    policy.Kind,
                    () =>
                        _client.CustomObjects.CreateNamespacedCustomObjectAsync(
                            ApiJson.ToJson(policy),
                            Api.ApiGroups.EnvoyGateway,
                            EnvoyGatewayVersion.V1Alpha1,
                            "tenant-t",
                            BackendTrafficPolicy.PluralName,
                            dryRun: "All"
                        )
                )
            );
        }

        return answers;
    }

    private static async Task<(string Kind, HttpStatusCode Status, string Message)> OfferAsync(string kind, Func<Task> offer)
    {
        try
        {
            await offer();
            return (kind, HttpStatusCode.Created, "");
        }
        catch (HttpOperationException e)
        {
            return (kind, e.Response.StatusCode, e.Response.Content);
        }
    }

    private static Gen<string> OneOf(params string[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static EnvoyGatewayTranslation Translate(Route route) =>
        EnvoyGatewayTranslator.Translate(route, TenantPolicy.Default, new ManagementStub(NameHolder.Free), _ => 10_000);

    private static Route? Read(JsonObject json, Dictionary<string, string> annotations)
    {
        if (
            json["spec"]?["source"] is JsonObject source
            && source["kubernetes"] is JsonObject kubernetes
            && kubernetes["resource"] is JsonObject resource
            && resource["metadata"] is JsonObject metadata
        )
        {
            metadata["annotations"] = JsonSerializer.SerializeToNode(annotations);
        }

        try
        {
            return ApiJson.Read<Route>(json);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or NotSupportedException)
        {
            // What is no Route at all is refused where Routes are written.
            return null;
        }
    }
}
