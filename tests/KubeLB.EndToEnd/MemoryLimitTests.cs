using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using k8s;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>
/// A manager whose heap is limited to 384 MiB, which .NET uses of a container with 512 MiB, while a tenant fills its namespace with large
/// Routes. It survives, also two restarts, and other tenants do not wait.
/// </summary>
public sealed class MemoryLimitTests : IAsyncLifetime
{
    private const int Routes = 75;
    private const int OfOtherShapes = 5;

    // etcd stores up to 1.5 MB.
    private const int LargeSize = 1_400_000;

    // 8 MiB of at most 256 KiB each.
    private const int WithinLimits = 32;
    private const int SizeWithinLimit = 250_000;

    // The CRD limits the number of Services to 4096.
    private static readonly string Long = new('x', 300);

    private static readonly string[] Shapes = ["keys", "nesting", "strings", "services", "rules"];
    private const string HeapLimit = "0x18000000";

    // Ten times the requirement of one second.
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    private readonly string _folder = Directory.CreateTempSubdirectory("kubelb-memory-").FullName;
    private readonly StringBuilder _output = new();
    private EmbeddedCluster.EmbeddedCluster _cluster = null!;
    private IKubernetes _client = null!;
    private TestCluster _objects = null!;
    private Process? _manager;

    public async ValueTask InitializeAsync()
    {
        _cluster = await EmbeddedCluster.EmbeddedCluster.StartAsync();
        _client = _cluster.CreateClient("test");
        _objects = new TestCluster(_client);
        foreach (
            var file in new[] { "deploy/crds", "tools/KubeLB.Sandbox/Crds" }
                .SelectMany(folder => Directory.GetFiles(Path.Combine(SourceTree.Root, folder), "*_*.yaml"))
                .Where(file => !file.Contains("monitoring.coreos.com", StringComparison.Ordinal))
        )
        {
            await _cluster.InstallCrdsAsync(await File.ReadAllTextAsync(file));
        }

        await _objects.ApplyAsync(
            """
            apiVersion: v1
            kind: Namespace
            metadata: {name: kubelb}
            ---
            apiVersion: kubelb.k8c.io/v1alpha1
            kind: Config
            metadata: {name: default, namespace: kubelb}
            spec: {apiServerURL: "https://127.0.0.1:6443"}
            ---
            apiVersion: kubelb.k8c.io/v1alpha1
            kind: Tenant
            metadata: {name: evil}
            spec: {gatewayAPI: {gateway: {limit: 2}, route: {limit: 2}}}
            ---
            apiVersion: kubelb.k8c.io/v1alpha1
            kind: Tenant
            metadata: {name: full}
            spec: {}
            ---
            apiVersion: kubelb.k8c.io/v1alpha1
            kind: Tenant
            metadata: {name: good}
            spec: {}
            """
        );
        await File.WriteAllTextAsync(Kubeconfig, _cluster.KubeconfigYaml);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _objects.DisposeAsync();
        await _cluster.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    [Trait("Threat", "large-routes")]
    public async Task Manager_survives_large_Routes_and_serves_other_tenants()
    {
        Start();
        foreach (var tenant in new[] { "evil", "full", "good" })
        {
            await _objects.WaitAsync<Tenant>("", tenant, t => t.Status?.Phase == TenantPhases.Ready, "is set up");
        }

        await ExpectGeneratedAsync("first");
        for (var i = 0; i < Routes; i++)
        {
            // The embedded API server takes seconds for some of the other shapes.
            await CreateAsync(Large("evil", $"large-{i}", i < OfOtherShapes ? Shapes[i % Shapes.Length] : Shapes[0], LargeSize));
        }

        // As much as a tenant may have, so that the manager parses all of it.
        for (var i = 0; i < WithinLimits; i++)
        {
            await CreateAsync(Large("full", $"full-{i}", Shapes[i % Shapes.Length], SizeWithinLimit));
        }

        // In a complete run the images are compiled beside it.
        await ExpectGeneratedAsync("while-they-are-new", Deadline + TimeSpan.FromSeconds(20));
        for (var restart = 1; restart <= 2; restart++)
        {
            await StopAsync();
            Start();
            await ExpectGeneratedAsync($"after-restart-{restart}", Deadline + TimeSpan.FromSeconds(20));
            await ExpectGeneratedAsync($"later-{restart}");
        }

        _manager!.HasExited.Should().BeFalse(Output);
        Output.Should().NotContain("OutOfMemory");
    }

    private string Kubeconfig => Path.Combine(_folder, "kubeconfig");

    private void Start()
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            ArgumentList =
            {
                Path.Combine(AppContext.BaseDirectory, "kubelb-manager.dll"),
                "--kubeconfig",
                Kubeconfig,
                "--enable-gateway-api",
                "--listen-address",
                "127.0.0.1:0",
                "--metrics-addr",
                "0",
                "--health-probe-bind-address",
                "0",
            },
        };
        start.Environment["DOTNET_GCHeapHardLimit"] = HeapLimit;
        _manager = Process.Start(start)!;
        _manager.OutputDataReceived += (_, line) => Append(line.Data);
        _manager.ErrorDataReceived += (_, line) => Append(line.Data);
        _manager.BeginOutputReadLine();
        _manager.BeginErrorReadLine();
    }

    private async Task StopAsync()
    {
        if (_manager is { } manager)
        {
            _manager = null;
            manager.Kill();
            await manager.WaitForExitAsync();
            manager.Dispose();
        }
    }

    private void Append(string? line)
    {
        lock (_output)
        {
            _output.AppendLine(line);
        }
    }

    // As JSON: the type drops a spec of this size.
    private Task<object> CreateAsync(JsonObject route) =>
        _client.CustomObjects.CreateNamespacedCustomObjectAsync(
            route,
            ApiGroups.Kubelb,
            KubelbVersion.Name,
            (string)route["metadata"]!["namespace"]!,
            Api.V1Alpha1.Route.PluralName
        );

    private string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    private async Task ExpectGeneratedAsync(string name, TimeSpan? deadline = null)
    {
        await CreateAsync(
            Route(
                "good",
                name,
                new JsonObject
                {
                    ["gatewayClassName"] = "kubelb",
                    ["listeners"] = new JsonArray(
                        new JsonObject
                        {
                            ["name"] = "http",
                            ["port"] = 80,
                            ["protocol"] = "HTTP",
                        }
                    ),
                },
                Gateway.KindName
            )
        );
        await Eventually.GetAsync(
            $"Gateway {name} is generated",
            () => _objects.GetAsync<Gateway>("tenant-good", $"default-{name}"),
            gateway => gateway is not null,
            _ => $"exit code {(_manager!.HasExited ? _manager.ExitCode : null)}, output: {Output[Math.Max(0, Output.Length - 5000)..]}",
            deadline: deadline ?? Deadline
        );
    }

    private static JsonObject Large(string tenant, string name, string shape, int size)
    {
        var spec = new JsonObject { ["parentRefs"] = new JsonArray(new JsonObject { ["name"] = "gateway" }) };
        var services = new JsonArray();
        for (var (i, length) = (0, 0); length < size; i++)
        {
            JsonNode part = shape switch
            {
                "nesting" => Enumerable.Range(0, 30).Aggregate((JsonNode)1, (inner, _) => new JsonArray(inner)),
                "strings" => new string('x', Math.Min(size, 100_000)),
                "services" => new JsonObject
                {
                    ["apiVersion"] = "v1",
                    ["kind"] = "Service",
                    ["metadata"] = new JsonObject { ["name"] = $"service-{i}{Long}", ["namespace"] = "default" },
                    ["spec"] = new JsonObject { ["ports"] = new JsonArray(new JsonObject { ["port"] = 80, ["nodePort"] = 30080 }) },
                },
                "rules" => new JsonObject { ["backendRefs"] = new JsonArray(new JsonObject { ["name"] = $"service-{i}", ["port"] = 80 }) },
                _ => 1,
            };
            length += part.ToJsonString().Length + 16;
            if (shape is "services")
            {
                services.Add(part);
            }
            else if (shape is "rules")
            {
                spec["rules"] ??= new JsonArray();
                spec["rules"]!.AsArray().Add(part);
            }
            else
            {
                spec[$"key{i:D9}"] = part;
            }
        }

        var route = Route(tenant, name, spec, HttpRoute.KindName);
        route["spec"]!["source"]!["kubernetes"]!["services"] = services;
        return route;
    }

    private static JsonObject Route(string tenant, string name, JsonObject spec, string kind) =>
        new()
        {
            ["apiVersion"] = KubelbVersion.ApiVersion,
            ["kind"] = Api.V1Alpha1.Route.KindName,
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = $"tenant-{tenant}" },
            ["spec"] = new JsonObject
            {
                ["endpoints"] = new JsonArray(new JsonObject { ["name"] = "default" }),
                ["source"] = new JsonObject
                {
                    ["kubernetes"] = new JsonObject
                    {
                        ["resource"] = new JsonObject
                        {
                            ["apiVersion"] = "gateway.networking.k8s.io/v1",
                            ["kind"] = kind,
                            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "default" },
                            ["spec"] = spec,
                        },
                        ["services"] = new JsonArray(),
                    },
                },
            },
        };
}
