using System.Text;
using System.Text.Json.Nodes;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using Microsoft.Extensions.Logging;

namespace KubeLB.EndToEnd;

/// <summary>Secrets that travel for other reasons than a listener's; and what never does.</summary>
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
    public async Task With_the_synchronizer_a_labelled_secret_travels_until_its_label_goes()
    {
        await using var bed = await SystemFixture.StartAsync(configure: o =>
            o with
            {
                Ccm = ccm => ccm with { EnableSecretSynchronizer = true },
            }
        );
        await bed.Tenant.CreateAsync(Opaque("labelled", isLabelled: true));
        await bed.Tenant.CreateAsync(Opaque("unlabelled", isLabelled: false));

        var carried = (
            await Eventually.GetAsync("it is carried", () => bed.Management.ListAsync<V1Secret>("tenant-t1"), s => s.Any(IsCarried))
        ).Single(IsCarried);
        Encoding.UTF8.GetString(carried.Data["password"]).Should().Be(Password);
        carried.Metadata.Labels[Labels.OriginName].Should().Be("labelled");
        await bed.SettleAsync();
        (await bed.Management.ListAsync<SyncSecret>("tenant-t1")).Should().ContainSingle();

        await bed.Tenant.PatchAsync<V1Secret>("default", "labelled", """{"metadata":{"labels":{"kubelb.k8c.io/managed-by":null}}}""");
        await WaitForNoneAsync(bed);
    }

    [Fact]
    public async Task Without_the_synchronizer_a_label_makes_no_work()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.SettleAsync();
        bed.ForgetRequests();

        await bed.Tenant.CreateAsync(Opaque("labelled", isLabelled: true));
        await bed.SettleAsync();

        bed.Writes().Should().BeEmpty();
    }

    [Fact]
    public async Task A_syncsecret_that_a_user_writes_travels_and_leaves_with_it()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.Tenant.CreateAsync(
            new SyncSecret
            {
                Metadata = { Name = "mine", NamespaceProperty = "default" },
                Type = "Opaque",
                StringData = new Dictionary<string, string> { ["password"] = Password },
            }
        );

        var carried = (
            await Eventually.GetAsync("it is carried", () => bed.Management.ListAsync<V1Secret>("tenant-t1"), s => s.Any(IsCarried))
        ).Single(IsCarried);
        Encoding.UTF8.GetString(carried.Data["password"]).Should().Be(Password);

        await bed.Tenant.DeleteAsync<SyncSecret>("default", "mine");
        await WaitForNoneAsync(bed);
    }

    [Fact]
    public async Task What_the_go_ccm_left_in_the_tenant_is_let_go()
    {
        await using var bed = await SystemFixture.StartAsync();
        var secret = Opaque("old", isLabelled: true);
        secret.Metadata.Finalizers = [Finalizers.Cleanup];
        await bed.Tenant.CreateAsync(secret);
        await bed.Tenant.CreateAsync(
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

        await bed.Tenant.DeleteAsync<V1Secret>("default", "old");
        await bed.Tenant.DeleteAsync<SyncSecret>("default", "old");

        await bed.Tenant.WaitGoneAsync<V1Secret>("default", "old");
        await bed.Tenant.WaitGoneAsync<SyncSecret>("default", "old");
        (await bed.Management.ListAsync<SyncSecret>("tenant-t1")).Should().BeEmpty();
    }

    [Fact]
    public async Task Without_the_definition_of_syncsecrets_in_the_tenant_everything_else_works()
    {
        await using var bed = await SystemFixture.StartAsync();
        const string Crd = "syncsecrets.kubelb.k8c.io";
        await bed.Tenant.DeleteAsync<V1CustomResourceDefinition>("", Crd);
        await bed.Tenant.WaitGoneAsync<V1CustomResourceDefinition>("", Crd);
        await bed.RestartCcmAsync();

        await bed.Tenant.CreateAsync(new TlsPair("api.example.com").Secret("web"));
        await bed.Tenant.ApplyAsync(HttpsGateway);

        await bed.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => Condition(g, "good", "Programmed") is { IsTrue: true },
            "serves its certificate"
        );
    }

    [Fact]
    public async Task A_secret_that_somebody_else_made_is_never_overwritten()
    {
        await using var bed = await SystemFixture.StartAsync();
        await bed.StopManagerAsync();
        var syncSecret = await bed.Management.CreateAsync(
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
        await bed.Management.CreateAsync(other);
        await bed.StartManagerAsync();

        var failed = await bed.Management.WaitAsync<SyncSecret>(
            "tenant-t1",
            "from-outside",
            s => s.Status?.Phase == "Failed",
            "is refused"
        );
        failed.Status!.Conditions!.Single().Message.Should().Contain("already exists");
        (await bed.Management.GetAsync<V1Secret>("tenant-t1", syncSecret.Metadata.Uid))!.Data.Keys.Should().Equal("own");
    }

    [Fact]
    public async Task Nothing_of_a_secret_is_in_any_log_or_in_any_object_but_its_own_data()
    {
        using var logs = new CapturedLogs();
        await using var bed = await SystemFixture.StartAsync(configure: o =>
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

        await bed.Tenant.CreateAsync(Opaque("password", isLabelled: true));
        await bed.Tenant.CreateAsync(basic);
        await bed.Tenant.CreateAsync(broken);
        await bed.Tenant.CreateAsync(first.Secret("web"));
        await bed.Management.CreateAsync(
            new SyncSecret
            {
                Metadata = { Name = "refused", NamespaceProperty = "tenant-t1" },
                Type = "kubernetes.io/tls",
                StringData = new Dictionary<string, string> { ["tls.key"] = Password },
            }
        );
        await bed.Tenant.ApplyAsync(HttpsGateway);
        await bed.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => Condition(g, "good", "Programmed") is { IsTrue: true },
            "serves its certificate"
        );
        await bed.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => Condition(g, "wrong-type", "ResolvedRefs")?.Message.Contains("must be of type") == true,
            "tells the wrong type"
        );
        await bed.Tenant.WaitAsync<Gateway>(
            "default",
            "my-gateway",
            g => Condition(g, "wrong-content", "ResolvedRefs")?.Message.Contains("tls.crt holds no certificate") == true,
            "tells what cannot be read"
        );
        await bed.Tenant.PatchAsync<V1Secret>("default", "web", $$"""{"data":{{second.Data}}}""");
        await bed.RestartCcmAsync();
        await bed.RestartManagerAsync();
        await bed.SettleAsync();
        (await bed.Management.ListAsync<SyncSecret>("tenant-t1")).Should().HaveCount(4);

        string[] hidden = [.. Hidden, .. first.Traces, .. second.Traces];
        logs.Lines.Should().NotBeEmpty().And.Contain(line => line.Contains("SyncSecret"));
        logs.Lines.Where(line => hidden.Any(line.Contains)).Should().BeEmpty();
        var objects = await ObjectsAsync(bed);
        objects.Where(o => hidden.Any(o.Contains)).Should().BeEmpty();

        // What is looked for would be found.
        (await bed.Management.ListAsync<V1Secret>("tenant-t1"))
            .Select(s => KubernetesJson.Serialize(s))
            .Should()
            .Contain(s => second.Traces.Any(s.Contains));
    }

    // Everything that is stored, less the data of Secrets and SyncSecrets, and less what the tenant's own kubectl wrote.
    private static async Task<IReadOnlyList<string>> ObjectsAsync(SystemFixture bed)
    {
        var found = new List<JsonObject>();
        foreach (var cluster in new[] { bed.Tenant, bed.Management })
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

    private static async Task WaitForNoneAsync(SystemFixture bed)
    {
        await Eventually.HoldsAsync(
            "no SyncSecret is left",
            async () => (await bed.Management.ListAsync<SyncSecret>("tenant-t1")).Count == 0
        );
        await Eventually.HoldsAsync(
            "no Secret is left",
            async () => !(await bed.Management.ListAsync<V1Secret>("tenant-t1")).Any(IsCarried)
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

    private static bool IsCarried(V1Secret secret) => secret.Metadata.OwnerReferences?.Any(o => o.Kind == SyncSecret.KindName) == true;

    private static Condition? Condition(Gateway gateway, string listener, string type) =>
        gateway.Status?.Listeners?.FirstOrDefault(l => l.Name == listener)?.Conditions?.FirstOrDefault(c => c.Type == type);
}
