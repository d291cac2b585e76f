using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.TestClusters;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>
/// The requests of a Go CCM (1.4) to the management API, as they were recorded, under the Role that this manager gives its tenant. A Go CCM
/// exits if one of its three watches is rejected. And what a tenant could try with the same token.
/// </summary>
public sealed class GoCcmAccessTests : IAsyncLifetime
{
    private const string Own = "/apis/kubelb.k8c.io/v1alpha1/namespaces/tenant-t1";
    private const string StreamingList =
        "watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=5";
    private static readonly string[] Watched = ["loadbalancers", "addresses", "routes"];

    private BareManagement _management = null!;
    private HttpClient _ccm = null!;

    public async ValueTask InitializeAsync()
    {
        _management = await BareManagement.StartAsync();
        if (!_management.Cluster.Features.HasFlag(ClusterFeatures.Controllers))
        {
            // Tokens of ServiceAccounts are written by a controller.
            await _management.DisposeAsync();
            Assert.SkipWhen(true, ClusterFeatureReasons.NoControllers);
        }

        await _management.AddTenantAsync(await _management.StartManagerAsync());
        var secret = await _management.Objects.GetAsync<V1Secret>("tenant-t1", "kubelb-ccm-kubeconfig");
        using var kubeconfig = new MemoryStream(secret!.Data["kubelb"]);
        _ccm = new HttpClient(_management.Cluster.CreateHandler()) { BaseAddress = _management.Cluster.Url };
        _ccm.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Bearer",
            KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig).AccessToken
        );
    }

    public async ValueTask DisposeAsync()
    {
        _ccm?.Dispose();
        await _management.DisposeAsync();
    }

    [Fact]
    public async Task Discovery_is_allowed()
    {
        foreach (var path in new[] { "/api", "/apis" })
        {
            (await SendAsync(HttpMethod.Get, path)).Status.Should().Be(HttpStatusCode.OK, path);
        }
    }

    [Fact]
    public async Task Streaming_lists_and_list_with_watch_are_allowed()
    {
        foreach (var resource in Watched)
        {
            // A server without streaming lists rejects the options; then the CCM lists.
            (await StartAsync($"{Own}/{resource}?{StreamingList}"))
                .Should()
                .BeOneOf([HttpStatusCode.OK, HttpStatusCode.UnprocessableEntity], resource);

            var (status, list) = await SendAsync(HttpMethod.Get, $"{Own}/{resource}?limit=500&resourceVersion=0");
            status.Should().Be(HttpStatusCode.OK, resource);
            var version = list!["metadata"]!["resourceVersion"]!.GetValue<string>();
            (await StartAsync($"{Own}/{resource}?watch=true&allowWatchBookmarks=true&resourceVersion={version}&timeoutSeconds=5"))
                .Should()
                .Be(HttpStatusCode.OK, resource);
        }
    }

    [Fact]
    public async Task Addresses_may_be_created_and_updated()
    {
        var addresses = new Addresses
        {
            Metadata = new V1ObjectMeta { Name = Addresses.DefaultName, NamespaceProperty = "tenant-t1" },
            Spec = new AddressesSpec { Addresses = [new EndpointAddress { Ip = "10.0.0.2" }] },
        };

        var created = await CreateAsync("addresses", ApiJson.ToJson(addresses));
        created["spec"]!["addresses"]![0]!["ip"] = "10.0.0.3";
        await UpdateAsync("addresses/default", created, () => _management.Objects.GetAsync<Addresses>("tenant-t1", "default"));
    }

    [Fact]
    public async Task Routes_may_be_created_updated_and_deleted()
    {
        var created = await CreateAsync("routes", ApiJson.ToJson(CcmRoutes.Http("tenant-t1", "of-go")));
        created["spec"]!["source"]!["kubernetes"]!["resource"]!["spec"]!["hostnames"] = new JsonArray("other.example.com");
        await UpdateAsync("routes/of-go", created, () => _management.Objects.GetAsync<Route>("tenant-t1", "of-go"));
        (await SendAsync(HttpMethod.Delete, $"{Own}/routes/of-go")).Status.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task LoadBalancers_and_their_status_may_be_written()
    {
        var loadBalancer = JsonNode.Parse(
            """
            {
              "apiVersion": "kubelb.k8c.io/v1alpha1", "kind": "LoadBalancer", "metadata": { "name": "lb", "namespace": "tenant-t1" },
              "spec": { "ports": [{ "port": 80 }], "endpoints": [{ "name": "default", "addressesReference": { "name": "default" },
                "ports": [{ "port": 30080 }] }] }
            }
            """
        )!;

        var created = await CreateAsync("loadbalancers", loadBalancer);
        created["spec"]!["type"]!.GetValue<string>().Should().Be("ClusterIP", "this is the default of the contract");
        created["status"] = JsonNode.Parse("""{ "loadBalancer": { "ingress": [{ "ip": "192.0.2.1" }] } }""");
        (await SendAsync(HttpMethod.Put, $"{Own}/loadbalancers/lb/status", created)).Status.Should().Be(HttpStatusCode.OK);
        (await SendAsync(HttpMethod.Delete, $"{Own}/loadbalancers/lb")).Status.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Status_of_other_kinds_may_be_read_and_written()
    {
        await CreateAsync("routes", ApiJson.ToJson(CcmRoutes.Http("tenant-t1", "of-go")));

        foreach (var resource in new[] { "routes/of-go", "addresses/none", "syncsecrets/none" })
        {
            (await SendAsync(HttpMethod.Get, $"{Own}/{resource}/status")).Status.Should().NotBe(HttpStatusCode.Forbidden, resource);
            (await SendAsync(HttpMethod.Patch, $"{Own}/{resource}/status", new JsonObject { ["status"] = new JsonObject() }))
                .Status.Should()
                .NotBe(HttpStatusCode.Forbidden, resource);
        }
    }

    [Fact]
    [Trait("Threat", "unused-permissions")]
    public async Task Access_without_Go_compatibility_is_limited_to_this_CCM()
    {
        await _management.Objects.PatchAsync<Config>("kubelb", "default", """{"spec":{"goCompatibility":false}}""");

        await Eventually.HoldsAsync(
            async () => (await SendAsync(HttpMethod.Get, $"{Own}/loadbalancers")).Status == HttpStatusCode.Forbidden,
            "LoadBalancers are forbidden"
        );
        foreach (var resource in new[] { "routes", "syncsecrets", "addresses" })
        {
            (await SendAsync(HttpMethod.Get, $"{Own}/{resource}")).Status.Should().Be(HttpStatusCode.OK, resource);
        }

        foreach (var name in new[] { "routes/none", "syncsecrets/none", "addresses/default" })
        {
            (await SendAsync(HttpMethod.Get, $"{Own}/{name}")).Status.Should().Be(HttpStatusCode.NotFound, name);
            (await SendAsync(HttpMethod.Patch, $"{Own}/{name}", new JsonObject())).Status.Should().Be(HttpStatusCode.NotFound, name);
            await ForbiddenAsync(HttpMethod.Put, name);
            await ForbiddenAsync(HttpMethod.Get, $"{name}/status");
            await ForbiddenAsync(HttpMethod.Patch, $"{name}/status");
            await ForbiddenAsync(HttpMethod.Put, $"{name}/status");
        }

        (await SendAsync(HttpMethod.Get, $"{Own}/tenantstates/default")).Status.Should().Be(HttpStatusCode.OK);
        await ForbiddenAsync(HttpMethod.Get, "tenantstates");
        await ForbiddenAsync(HttpMethod.Get, "tenantstates/default/status");
        await ForbiddenAsync(HttpMethod.Get, "tenantstates/none");
        await ForbiddenAsync(HttpMethod.Get, "addresses/other");
        await ForbiddenAsync(HttpMethod.Patch, "addresses/other");
        await ForbiddenAsync(HttpMethod.Delete, "addresses/default");

        async Task ForbiddenAsync(HttpMethod method, string path) =>
            (await SendAsync(method, $"{Own}/{path}", method == HttpMethod.Get ? null : new JsonObject()))
                .Status.Should()
                .Be(HttpStatusCode.Forbidden, $"{method} {path}");
    }

    [Fact]
    [Trait("Threat", "other-tenants-objects")]
    public async Task Access_to_other_resources_is_forbidden()
    {
        foreach (
            var path in new[]
            {
                "/apis/kubelb.k8c.io/v1alpha1/namespaces/tenant-t2/loadbalancers",
                "/apis/kubelb.k8c.io/v1alpha1/loadbalancers",
                "/apis/kubelb.k8c.io/v1alpha1/routes",
                "/apis/kubelb.k8c.io/v1alpha1/tenants",
                "/api/v1/namespaces/tenant-t1/secrets",
                "/api/v1/namespaces/tenant-t1/services",
                "/apis/gateway.networking.k8s.io/v1/namespaces/tenant-t1/gateways",
            }
        )
        {
            (await SendAsync(HttpMethod.Get, path)).Status.Should().Be(HttpStatusCode.Forbidden, path);
        }

        (await SendAsync(HttpMethod.Patch, $"{Own}/tenantstates/default/status", new JsonObject()))
            .Status.Should()
            .Be(HttpStatusCode.Forbidden);
        (await SendAsync(HttpMethod.Delete, $"{Own}/loadbalancers"))
            .Status.Should()
            .Be(HttpStatusCode.Forbidden, "deletecollection is not granted");
    }

    [Fact]
    [Trait("Threat", "other-tenants-objects")]
    [Trait("Threat", "xds-certificates")]
    public async Task Request_beyond_the_Role_is_forbidden()
    {
        const string Other = "/apis/kubelb.k8c.io/v1alpha1/namespaces/tenant-t2";
        const string Rbac = "/apis/rbac.authorization.k8s.io/v1";
        foreach (
            var request in new[]
            {
                "GET /api/v1/namespaces/tenant-t1/secrets/envoy-xds-client",
                "GET /api/v1/namespaces/tenant-t1/secrets/kubelb-ccm",
                "GET /api/v1/namespaces/tenant-t1/secrets/kubelb-ccm-kubeconfig",
                "GET /api/v1/namespaces/tenant-t2/secrets",
                "GET /api/v1/namespaces/kubelb/secrets/kubelb-xds-ca",
                "GET /api/v1/secrets",
                "GET /api/v1/namespaces/tenant-t2/configmaps",
                "GET /api/v1/namespaces/kube-public/configmaps",
                "GET /api/v1/configmaps",
                "GET /api/v1/namespaces/tenant-t1/pods",
                "GET /api/v1/namespaces/tenant-t2/pods",
                "GET /api/v1/namespaces/tenant-t2/services",
                "GET /api/v1/namespaces/tenant-t1/endpoints",
                "GET /api/v1/namespaces/tenant-t1/serviceaccounts",
                "GET /api/v1/namespaces/tenant-t1/events",
                "GET /api/v1/namespaces",
                "GET /api/v1/nodes",
                "GET /apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                "DELETE /apis/apiextensions.k8s.io/v1/customresourcedefinitions/routes.kubelb.k8c.io",
                $"GET {Other}/routes",
                $"GET {Other}/addresses",
                $"GET {Other}/syncsecrets",
                $"GET {Other}/tenantstates",
                "GET /apis/kubelb.k8c.io/v1alpha1/syncsecrets",
                $"DELETE {Own}/routes",
                $"DELETE {Other}/routes",
                $"POST {Other}/routes",
                "POST /apis/kubelb.k8c.io/v1alpha1/namespaces/kubelb/routes",
                "POST /apis/kubelb.k8c.io/v1alpha1/namespaces/default/routes",
                $"GET {Other}/routes/default",
                $"DELETE {Other}/routes/default",
                $"PATCH {Own}/tenantstates/default/status",
                $"PUT {Own}/tenantstates/default/status",
                $"POST {Own}/tenantstates",
                $"PATCH {Own}/tenantstates/default",
                $"DELETE {Own}/tenantstates/default",
                "PATCH /apis/kubelb.k8c.io/v1alpha1/tenants/t1",
                "DELETE /apis/kubelb.k8c.io/v1alpha1/tenants/t2",
                "GET /apis/kubelb.k8c.io/v1alpha1/namespaces/kubelb/configs/default",
                "PATCH /apis/kubelb.k8c.io/v1alpha1/namespaces/kubelb/configs/default",
                $"GET {Rbac}/namespaces/tenant-t1/roles",
                $"POST {Rbac}/namespaces/tenant-t1/roles",
                $"PATCH {Rbac}/namespaces/tenant-t1/roles/kubelb-ccm",
                $"POST {Rbac}/namespaces/tenant-t1/rolebindings",
                $"POST {Rbac}/clusterrolebindings",
                "POST /api/v1/namespaces/tenant-t1/serviceaccounts/kubelb-ccm/token",
                "POST /api/v1/namespaces/tenant-t1/serviceaccounts/default/token",
                "POST /api/v1/namespaces/tenant-t1/secrets",
                "POST /api/v1/namespaces/tenant-t1/events",
                "POST /apis/events.k8s.io/v1/namespaces/tenant-t1/events",
                "POST /apis/coordination.k8s.io/v1/namespaces/tenant-t1/leases",
                "POST /apis/coordination.k8s.io/v1/namespaces/kubelb/leases",
                "POST /apis/gateway.networking.k8s.io/v1/namespaces/tenant-t1/gateways",
                "POST /apis/gateway.networking.k8s.io/v1/namespaces/tenant-t2/httproutes",
                "POST /apis/gateway.networking.k8s.io/v1/namespaces/tenant-t1/referencegrants",
                "POST /apis/discovery.k8s.io/v1/namespaces/tenant-t1/endpointslices",
                "GET /apis/apps/v1/namespaces/tenant-t1/deployments",
                "PATCH /apis/apps/v1/namespaces/tenant-t1/deployments/envoy-tenant-t1/scale",
                "POST /api/v1/namespaces/tenant-t1/pods/any/exec",
                "GET /api/v1/namespaces/tenant-t1/services/any/proxy",
                "GET /metrics",
                "GET /logs",
                "GET /debug/pprof/",
            }
        )
        {
            var (method, path) = (HttpMethod.Parse(request.Split(' ')[0]), request.Split(' ')[1]);
            (await SendAsync(method, path, method == HttpMethod.Get ? null : new JsonObject()))
                .Status.Should()
                .Be(HttpStatusCode.Forbidden, request);
        }
    }

    [Theory]
    [InlineData("/apis/kubelb.k8c.io/v1alpha1/namespaces/tenant-t1/../tenant-t2/routes")]
    [InlineData("/apis/kubelb.k8c.io/v1alpha1/namespaces/tenant-t1/%2e%2e/tenant-t2/routes")]
    [InlineData("/apis/kubelb.k8c.io/v1alpha1/namespaces/tenant-t1%2f..%2ftenant-t2/routes")]
    [InlineData("/apis/kubelb.k8c.io/v1alpha1/namespaces/tenant-t1/routes/..%2f..%2ftenant-t2%2froutes")]
    [InlineData("/apis/kubelb.k8c.io/v1alpha1//namespaces/tenant-t2/routes")]
    [InlineData("//apis/kubelb.k8c.io/v1alpha1/namespaces/tenant-t2/routes")]
    [InlineData("/APIS/kubelb.k8c.io/v1alpha1/namespaces/tenant-t2/routes")]
    [InlineData("/apis/kubelb.k8c.io/v1alpha1/namespaces/Tenant-T2/routes")]
    [InlineData("/apis/kubelb.k8c.io/v1alpha1/namespaces/tenant-t1/routes/../../../tenants")]
    [Trait("Threat", "other-tenants-objects")]
    public async Task Unusual_path_reaches_no_other_namespace(string path)
    {
        var url = new Uri(
            _ccm.BaseAddress!.GetLeftPart(UriPartial.Authority) + path,
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }
        );

        using var response = await _ccm.GetAsync(url);

        response.StatusCode.Should().BeOneOf(HttpStatusCode.Forbidden, HttpStatusCode.NotFound, HttpStatusCode.BadRequest);
    }

    [Fact]
    [Trait("Threat", "other-tenants-objects")]
    public async Task Namespace_of_a_request_is_that_of_its_path()
    {
        var route = ApiJson.ToJson(CcmRoutes.Http("tenant-t2", "foreign"));
        (await SendAsync(HttpMethod.Post, $"{Own}/routes", route)).Status.Should().Be(HttpStatusCode.BadRequest);

        await CreateAsync("routes", ApiJson.ToJson(CcmRoutes.Http("tenant-t1", "own")));
        var (status, list) = await SendAsync(HttpMethod.Get, $"{Own}/routes?fieldSelector=metadata.namespace%3Dtenant-t2");

        status.Should().Be(HttpStatusCode.OK);
        list!["items"]!.AsArray().Should().BeEmpty();
    }

    [Fact]
    [Trait("Threat", "forged-status")]
    public async Task Status_of_a_created_Route_is_ignored()
    {
        var route = ApiJson.ToJson(CcmRoutes.Http("tenant-t1", "forged"));
        route["status"] = new JsonObject { ["resources"] = new JsonObject() };

        (await CreateAsync("routes", route))["status"].Should().BeNull();
    }

    [Theory]
    [InlineData("Impersonate-User", "system:admin")]
    [InlineData("Impersonate-User", "system:serviceaccount:tenant-t2:kubelb-ccm")]
    [InlineData("Impersonate-User", "system:serviceaccount:kubelb:kubelb-manager")]
    [Trait("Threat", "impersonation")]
    public async Task Impersonation_is_forbidden(string header, string value)
    {
        _ccm.DefaultRequestHeaders.Add(header, value);
        foreach (var group in new[] { "", "system:masters" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"{Own}/routes");
            if (group.Length > 0)
            {
                request.Headers.Add("Impersonate-Group", group);
            }

            using var response = await _ccm.SendAsync(request);
            response.StatusCode.Should().Be(HttpStatusCode.Forbidden);
        }
    }

    [Fact]
    [Trait("Threat", "forged-token")]
    public async Task Forged_token_is_rejected()
    {
        var parts = _ccm.DefaultRequestHeaders.Authorization!.Parameter!.Split('.');
        var claims = Decode(parts[1]).Replace("tenant-t1", "tenant-t2", StringComparison.Ordinal);
        var unsigned = $"{Encode("""{"alg":"HS256","typ":"JWT"}""")}.{Encode(claims)}";
        foreach (
            var token in new[]
            {
                $"{parts[0]}.{Encode(claims)}.{parts[2]}",
                $"{Encode("""{"alg":"none","typ":"JWT"}""")}.{Encode(claims)}.",
                $"{unsigned}.{Base64Url.EncodeToString(HMACSHA256.HashData("secret"u8, Encoding.UTF8.GetBytes(unsigned)))}",
                $"{parts[0]}.{parts[1]}.",
            }
        )
        {
            _ccm.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
            (await SendAsync(HttpMethod.Get, $"{Own}/routes")).Status.Should().Be(HttpStatusCode.Unauthorized, token);
        }

        // Without a token, the user is system:anonymous.
        _ccm.DefaultRequestHeaders.Authorization = null;
        (await SendAsync(HttpMethod.Get, $"{Own}/routes")).Status.Should().BeOneOf(HttpStatusCode.Forbidden, HttpStatusCode.Unauthorized);

        static string Decode(string part) => Encoding.UTF8.GetString(Base64Url.DecodeFromChars(part));

        static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
    }

    private async Task<JsonNode> CreateAsync(string resource, JsonNode value)
    {
        var (status, created) = await SendAsync(HttpMethod.Post, $"{Own}/{resource}", value);
        status.Should().Be(HttpStatusCode.Created, $"{created}");
        return created!;
    }

    // The manager writes as well (its finalizer, the status), so that a PUT may fail with 409; the CCM reads the object again and
    // retries.
    private Task UpdateAsync<T>(string path, JsonNode changed, Func<Task<T?>> read)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        Eventually.HoldsAsync(
            async () =>
            {
                var (status, body) = await SendAsync(HttpMethod.Put, $"{Own}/{path}", changed);
                if (status == HttpStatusCode.Conflict)
                {
                    changed["metadata"] = ApiJson.ToJson((await read())!)["metadata"]!.DeepClone();
                    return false;
                }

                status.Should().Be(HttpStatusCode.OK, $"{body}");
                return true;
            },
            $"{path} is updated"
        );

    private async Task<HttpStatusCode> StartAsync(string path)
    {
        using var response = await _ccm.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
        return response.StatusCode;
    }

    private async Task<(HttpStatusCode Status, JsonNode? Body)> SendAsync(HttpMethod method, string path, JsonNode? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(
                body.ToJsonString(),
                Encoding.UTF8,
                method == HttpMethod.Patch ? "application/merge-patch+json" : "application/json"
            );
        }

        using var response = await _ccm.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        try
        {
            return (response.StatusCode, JsonNode.Parse(text));
        }
        catch (JsonException)
        {
            return (response.StatusCode, null);
        }
    }
}
