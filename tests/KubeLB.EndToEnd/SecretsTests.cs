using System.Text;
using System.Text.Json.Nodes;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.Logging;

namespace KubeLB.EndToEnd;

/// <summary>Secrets that are synced independently of listeners; content that never leaves a Secret.</summary>
[Trait("Threat", "secret-content")]
public sealed class SecretsTests
{
    private const string Password = "hunter2-that-nobody-may-see";

    private const string HttpsGateway = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata:
          name: my-gateway
          namespace: default
        spec:
          gatewayClassName: kubelb
          listeners:
            - name: good
              protocol: HTTPS
              port: 443
              tls:
                certificateRefs: [{name: web}]
            - name: wrong-type
              protocol: HTTPS
              port: 444
              tls:
                certificateRefs: [{name: password}]
            - name: wrong-content
              protocol: HTTPS
              port: 445
              tls:
                certificateRefs: [{name: broken}]
        """;

    private static readonly string[] Hidden =
    [
        Password,
        Convert.ToBase64String(Encoding.UTF8.GetBytes(Password)),
        Convert.ToBase64String(Encoding.UTF8.GetBytes("xx" + Password))[4..],
    ];

    [Fact]
    public async Task Labelled_Secret_with_synchronizer_is_synced_until_its_label_is_removed()
    {
        await using var fixture = await SystemFixture.StartAsync(configure: o =>
            o with
            {
                Ccm = ccm => ccm with { EnableSecretSynchronizer = true },
            }
        );
        await fixture.Tenant.CreateAsync(Opaque("labelled", isLabelled: true));
        await fixture.Tenant.CreateAsync(Opaque("unlabelled", isLabelled: false));

        var synced = (
            await Eventually.GetAsync("it is synced", () => fixture.Management.ListAsync<V1Secret>("tenant-t1"), s => s.Any(IsSynced))
        ).Single(IsSynced);
        Encoding.UTF8.GetString(synced.Data["password"]).Should().Be(Password);
        synced.Metadata.Labels[Labels.OriginName].Should().Be("labelled");
        await fixture.SettleAsync();
        (await fixture.Management.ListAsync<SyncSecret>("tenant-t1")).Should().ContainSingle();

        await fixture.Tenant.PatchAsync<V1Secret>("default", "labelled", """{"metadata":{"labels":{"kubelb.k8c.io/managed-by":null}}}""");
        await WaitForNoneAsync(fixture);
    }

    [Fact]
    public async Task Labelled_Secret_without_synchronizer_causes_no_write()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.SettleAsync();
        fixture.ForgetRequests();

        await fixture.Tenant.CreateAsync(Opaque("labelled", isLabelled: true));
        await fixture.SettleAsync();

        fixture.Writes().Should().BeEmpty();
    }

    [Fact]
    public async Task SyncSecret_of_a_user_is_synced_and_removed_with_its_source()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.Tenant.CreateAsync(
            new SyncSecret
            {
                Metadata = { Name = "mine", NamespaceProperty = "default" },
                Type = "Opaque",
                StringData = new Dictionary<string, string> { ["password"] = Password },
            }
        );

        var synced = (
            await Eventually.GetAsync("it is synced", () => fixture.Management.ListAsync<V1Secret>("tenant-t1"), s => s.Any(IsSynced))
        ).Single(IsSynced);
        Encoding.UTF8.GetString(synced.Data["password"]).Should().Be(Password);

        await fixture.Tenant.DeleteAsync<SyncSecret>("default", "mine");
        await WaitForNoneAsync(fixture);
    }

    [Fact]
    public async Task Finalizers_of_the_Go_CCM_do_not_block_deletion()
    {
        await using var fixture = await SystemFixture.StartAsync();
        var secret = Opaque("old", isLabelled: true);
        secret.Metadata.Finalizers = [Finalizers.Cleanup];
        await fixture.Tenant.CreateAsync(secret);
        await fixture.Tenant.CreateAsync(
            new SyncSecret
            {
                Metadata =
                {
                    Name = "old",
                    NamespaceProperty = "default",
                    Finalizers = [Finalizers.Cleanup],
                    Labels = new Dictionary<string, string> { [Labels.OriginName] = "old", [Labels.OriginNamespace] = "default" },
                },
                Type = "Opaque",
            }
        );

        await fixture.Tenant.DeleteAsync<V1Secret>("default", "old");
        await fixture.Tenant.DeleteAsync<SyncSecret>("default", "old");

        await fixture.Tenant.WaitGoneAsync<V1Secret>("default", "old");
        await fixture.Tenant.WaitGoneAsync<SyncSecret>("default", "old");
        (await fixture.Management.ListAsync<SyncSecret>("tenant-t1")).Should().BeEmpty();
    }

    [Fact]
    public async Task Missing_SyncSecret_CRD_in_the_tenant_does_not_affect_certificates()
    {
        await using var fixture = await SystemFixture.StartAsync();
        const string Crd = "syncsecrets.kubelb.k8c.io";
        await fixture.Tenant.DeleteAsync<V1CustomResourceDefinition>("", Crd);
        await fixture.Tenant.WaitGoneAsync<V1CustomResourceDefinition>("", Crd);
        await fixture.RestartCcmAsync();

        await fixture.Tenant.CreateAsync(new TlsPair("api.example.com").Secret("web"));
        await fixture.Tenant.ApplyAsync(HttpsGateway);

        await fixture.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => Condition(g, "good", "Programmed") is { IsTrue: true },
            "serves its certificate"
        );
    }

    [Fact]
    public async Task Secret_of_another_owner_is_never_overwritten()
    {
        await using var fixture = await SystemFixture.StartAsync();
        await fixture.StopManagerAsync();
        var syncSecret = await fixture.Management.CreateAsync(
            new SyncSecret
            {
                Metadata = { Name = "from-outside", NamespaceProperty = "tenant-t1" },
                Type = "Opaque",
                StringData = new Dictionary<string, string> { ["password"] = Password },
            }
        );
        var other = Opaque(syncSecret.Metadata.Uid, isLabelled: false);
        other.Metadata.NamespaceProperty = "tenant-t1";
        other.Data = new Dictionary<string, byte[]> { ["own"] = [1] };
        await fixture.Management.CreateAsync(other);
        await fixture.StartManagerAsync();

        var failed = await fixture.Management.WaitAsync<SyncSecret>(
            "tenant-t1",
            "from-outside",
            s => s.Status?.Phase == "Failed",
            "is rejected"
        );
        failed.Status!.Conditions!.Single().Message.Should().Contain("already exists");
        (await fixture.Management.GetAsync<V1Secret>("tenant-t1", syncSecret.Metadata.Uid))!.Data.Keys.Should().Equal("own");
    }

    [Fact]
    public async Task Secret_content_appears_in_no_log_and_no_other_object()
    {
        using var logs = new CapturedLogs();
        await using var fixture = await SystemFixture.StartAsync(configure: o =>
            o with
            {
                LogLevel = LogLevel.Trace,
                Logging = logging => logging.AddProvider(logs),
                Ccm = ccm => ccm with { EnableSecretSynchronizer = true },
            }
        );
        var first = new TlsPair("api.example.com");
        var second = new TlsPair("api.example.com");
        var broken = first.Secret("broken");
        broken.Data["tls.crt"] = Encoding.UTF8.GetBytes(Password);
        var basic = Opaque("unlucky", isLabelled: true);
        basic.Type = "kubernetes.io/basic-auth";

        await fixture.Tenant.CreateAsync(Opaque("password", isLabelled: true));
        await fixture.Tenant.CreateAsync(basic);
        await fixture.Tenant.CreateAsync(broken);
        await fixture.Tenant.CreateAsync(first.Secret("web"));
        await fixture.Management.CreateAsync(
            new SyncSecret
            {
                Metadata = { Name = "refused", NamespaceProperty = "tenant-t1" },
                Type = "kubernetes.io/tls",
                StringData = new Dictionary<string, string> { ["tls.key"] = Password },
            }
        );
        await fixture.Tenant.ApplyAsync(HttpsGateway);
        await fixture.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => Condition(g, "good", "Programmed") is { IsTrue: true },
            "serves its certificate"
        );
        await fixture.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => Condition(g, "wrong-type", "ResolvedRefs")?.Message.Contains("must be of type") == true,
            "reports the wrong type"
        );
        await fixture.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => Condition(g, "wrong-content", "ResolvedRefs")?.Message.Contains("tls.crt does not hold a valid PEM certificate") == true,
            "reports the invalid content"
        );
        await fixture.Tenant.PatchAsync<V1Secret>("default", "web", $$"""{"data":{{second.Data}}}""");
        await fixture.RestartCcmAsync();
        await fixture.RestartManagerAsync();
        await fixture.SettleAsync();
        (await fixture.Management.ListAsync<SyncSecret>("tenant-t1")).Should().HaveCount(4);

        string[] hidden = [.. Hidden, .. first.Traces, .. second.Traces];
        logs.Lines.Should().NotBeEmpty().And.Contain(line => line.Contains("SyncSecret"));
        logs.Lines.Where(line => hidden.Any(line.Contains)).Should().BeEmpty();
        var objects = await ObjectsAsync(fixture);
        objects.Where(o => hidden.Any(o.Contains)).Should().BeEmpty();

        // The search would find the content.
        (await fixture.Management.ListAsync<V1Secret>("tenant-t1"))
            .Select(s => KubernetesJson.Serialize(s))
            .Should()
            .Contain(s => second.Traces.Any(s.Contains));
    }

    // All stored objects, without the data of Secrets and SyncSecrets, and without annotations of the tenant's kubectl.
    private static async Task<IReadOnlyList<string>> ObjectsAsync(SystemFixture fixture)
    {
        var found = new List<JsonObject>();
        foreach (var cluster in new[] { fixture.Tenant, fixture.Management })
        {
            await AddAsync<V1Secret>(cluster, found);
            await AddAsync<SyncSecret>(cluster, found);
            await AddAsync<Route>(cluster, found);
            await AddAsync<Gateway>(cluster, found);
            await AddAsync<HttpRoute>(cluster, found);
            await AddAsync<Corev1Event>(cluster, found);
            await AddAsync<V1ConfigMap>(cluster, found);
            await AddAsync<V1Namespace>(cluster, found);
            await AddAsync<TenantState>(cluster, found);
        }

        foreach (var value in found.Where(o => o["kind"]?.GetValue<string>() is "Secret" or "SyncSecret"))
        {
            value.Remove("data");
            value.Remove("stringData");
            (value["metadata"]!["annotations"] as JsonObject)?.Remove(Annotations.KubectlLastApplied);
        }

        found.Should().Contain(o => o.ToJsonString().Contains(Annotations.Applied));
        return [.. found.Select(o => o.ToJsonString())];
    }

    private static async Task AddAsync<T>(TestCluster cluster, List<JsonObject> found)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            found.AddRange((await cluster.ListAsync<T>()).Select(o => JsonNode.Parse(KubernetesJson.Serialize(o))!.AsObject()));
        }
        catch (HttpOperationException e) when (e.Response.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            // Kinds of the management cluster are not served in the tenant's.
        }
    }

    private static async Task WaitForNoneAsync(SystemFixture fixture)
    {
        await Eventually.HoldsAsync(
            async () => (await fixture.Management.ListAsync<SyncSecret>("tenant-t1")).Count == 0,
            "no SyncSecret is left"
        );
        await Eventually.HoldsAsync(
            async () => !(await fixture.Management.ListAsync<V1Secret>("tenant-t1")).Any(IsSynced),
            "no Secret is left"
        );
    }

    private static V1Secret Opaque(string name, bool isLabelled) =>
        new()
        {
            ApiVersion = V1Secret.KubeApiVersion,
            Kind = V1Secret.KubeKind,
            Metadata = new V1ObjectMeta
            {
                Name = name,
                NamespaceProperty = "default",
                Labels = isLabelled ? new Dictionary<string, string> { [Labels.ManagedBy] = Labels.ManagedByKubelb } : null,
                Annotations = new Dictionary<string, string> { [Annotations.KubectlLastApplied] = Password },
            },
            Type = "Opaque",
            Data = new Dictionary<string, byte[]>
            {
                ["username"] = Encoding.UTF8.GetBytes("me"),
                ["password"] = Encoding.UTF8.GetBytes(Password),
            },
        };

    private static bool IsSynced(V1Secret secret) => secret.Metadata.OwnerReferences?.Any(o => o.Kind == SyncSecret.KindName) == true;

    private static Condition? Condition(Gateway gateway, string listener, string type) =>
        gateway.Status?.Listeners?.FirstOrDefault(l => l.Name == listener)?.Conditions?.FirstOrDefault(c => c.Type == type);
}
