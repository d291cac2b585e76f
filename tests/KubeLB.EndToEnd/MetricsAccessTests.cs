using System.Net;
using System.Net.Http.Headers;
using k8s;
using k8s.Models;
using KubeLB.EndToEnd.Support;
using KubeLB.Runtime.Hosting;
using KubeLB.Sandbox.Composition;
using KubeLB.TestClusters;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KubeLB.EndToEnd;

/// <summary><c>/metrics</c> of manager and CCM with <c>--metrics-secure</c>, under the roles of the charts.</summary>
public sealed class MetricsAccessTests : IAsyncLifetime
{
    private SystemFixture _fixture = null!;

    public async ValueTask InitializeAsync() =>
        _fixture = await SystemFixture.StartAsync(configure: o =>
            o with
            {
                Manager = manager => manager with { MetricsAddress = "127.0.0.1:0", MetricsSecure = true },
                Ccm = ccm => ccm with { MetricsAddress = "127.0.0.1:0", MetricsSecure = true },
            }
        );

    public async ValueTask DisposeAsync() => await _fixture.DisposeAsync();

    [Fact]
    [Trait("Threat", "metrics")]
    public async Task Only_permitted_users_get_the_metrics()
    {
        await CheckAsync(_fixture.Management, _fixture.Sandbox.Management, _fixture.Sandbox.Manager.Host!, "kubelb-manager");
        await CheckAsync(_fixture.Tenant, _fixture.Sandbox.Tenants[0].Cluster, _fixture.Sandbox.Tenants[0].Ccm.Host!, "kubelb-ccm");
    }

    private static async Task CheckAsync(TestCluster cluster, ISandboxCluster api, IHost host, string chart)
    {
        var rendered = await File.ReadAllTextAsync(
            Path.Combine(SourceTree.Root, "tests", "KubeLB.Charts.Tests", "testdata", chart, "secure-metrics.out.yaml")
        );
        foreach (var role in rendered.Split("\n---\n").Where(o => o.Contains($"name: {chart}-metrics-", StringComparison.Ordinal)))
        {
            if (!role.Contains("kind: Service\n", StringComparison.Ordinal))
            {
                await cluster.ApplyAsync(role);
            }
        }

        await cluster.ApplyAsync(
            $$"""
            apiVersion: v1
            kind: ServiceAccount
            metadata: {name: prometheus, namespace: default}
            ---
            apiVersion: v1
            kind: ServiceAccount
            metadata: {name: other, namespace: default}
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRoleBinding
            metadata: {name: prometheus}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {{chart}}-metrics-reader}
            subjects: [{kind: ServiceAccount, name: prometheus, namespace: default}]
            """
        );
        var address = host.Services.GetRequiredService<RuntimeEndpoints>().Metrics!;

        (await GetAsync(address, token: null)).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await GetAsync(address, "invalid")).Status.Should().Be(HttpStatusCode.Unauthorized);
        var (status, text) = await GetAsync(address, await TokenAsync(api, "other"));
        status.Should().Be(HttpStatusCode.Forbidden);
        text.Should().StartWith("User \"system:serviceaccount:default:other\" cannot get path \"/metrics\"");
        (status, text) = await GetAsync(address, await TokenAsync(api, "prometheus"));
        status.Should().Be(HttpStatusCode.OK, text);
        text.Should().Contain("reconcile_total");
        var plain = () => GetAsync(address, token: null, scheme: "http");
        await plain.Should().ThrowAsync<HttpRequestException>();
    }

    private static async Task<string> TokenAsync(ISandboxCluster api, string account)
    {
        using var client = ((ITestCluster)api).CreateClient("test");
        var request = new Authenticationv1TokenRequest { Spec = new V1TokenRequestSpec { Audiences = [] } };
        return (await client.CoreV1.CreateNamespacedServiceAccountTokenAsync(request, account, "default")).Status.Token;
    }

    private static async Task<(HttpStatusCode Status, string Text)> GetAsync(IPEndPoint address, string? token, string scheme = "https")
    {
        using var handler = new SocketsHttpHandler();
#pragma warning disable CA5359 // The certificate is self-signed.
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        using var http = new HttpClient(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"{scheme}://127.0.0.1:{address.Port}/metrics"));
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        using var response = await http.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
