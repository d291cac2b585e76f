using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using KubeLB.Sandbox.Activity;
using KubeLB.Sandbox.Composition;
using KubeLB.Sandbox.Demo;
using KubeLB.Sandbox.Pods;

namespace KubeLB.Sandbox.Tests.Composition;

/// <summary>A running sandbox with one tenant, and helpers for tests.</summary>
public class SandboxFixture : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("kubelb-sandbox-tests-").FullName;

    public SandboxEnvironment Sandbox { get; private set; } = null!;

    public IKubernetes Tenant { get; private set; } = null!;

    public IKubernetes Management { get; private set; } = null!;

    /// <summary>The reported states of Gateways and routes.</summary>
    internal ConcurrentQueue<string> States { get; } = [];

    /// <summary>The requests to Gateways.</summary>
    internal ConcurrentQueue<GatewayAccess> Accesses { get; } = [];

    /// <summary>Why there is no sandbox; null if there is one.</summary>
    public string? Missing { get; private set; }

    public async ValueTask InitializeAsync()
    {
        try
        {
            var options = new SandboxOptions
            {
                LogDirectory = _directory,
                StateChanged = (_, line) => States.Enqueue(line),
                Accessed = Accesses.Enqueue,
            };
            Sandbox = await SandboxEnvironment.StartAsync(Configure(options));
        }
        catch (Xunit.Sdk.SkipException e)
        {
            Missing = e.Message.Replace(Xunit.v3.DynamicSkipToken.Value, "", StringComparison.Ordinal);
            return;
        }

        Tenant = Sandbox.Tenants[0].Cluster.CreateClient("test");
        Management = Sandbox.Management.CreateClient("test");
    }

    /// <summary>Options of the sandbox.</summary>
    private protected virtual SandboxOptions Configure(SandboxOptions options) => options;

    public async ValueTask DisposeAsync()
    {
        if (Missing is not null)
        {
            return;
        }

        Tenant.Dispose();
        Management.Dispose();
        await Sandbox.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    internal async Task ApplyAsync(string yaml, IKubernetes? cluster = null)
    {
        foreach (var manifest in ManifestYaml.Read(yaml))
        {
            await ManifestClient.CreateAsync(cluster ?? Tenant, manifest, CancellationToken.None);
        }
    }

    internal async Task<JsonNode> GatewayApiAsync(string plural, string name, IKubernetes? cluster = null, string ns = "default")
    {
        var value = await (cluster ?? Tenant).CustomObjects.GetNamespacedCustomObjectAsync(
            "gateway.networking.k8s.io",
            "v1",
            ns,
            plural,
            name
        );
        return JsonNode.Parse(JsonSerializer.Serialize(value))!;
    }

    /// <summary>Waits until a condition is true. Exceptions of the check are retried, and reported on timeout.</summary>
    internal async Task<T> EventuallyAsync<T>(Func<Task<T?>> check, string what)
        where T : class
    {
        var deadline = DateTime.UtcNow.AddSeconds(30);
        Exception? last = null;
        while (DateTime.UtcNow < deadline)
        {
            try
            {
                if (await check() is { } result)
                {
                    return result;
                }
            }
            catch (Exception e)
            {
                last = e;
            }

            await Task.Delay(20);
        }

        var logs = string.Join(
            "\n",
            Directory.GetFiles(_directory).SelectMany(f => new[] { $"== {Path.GetFileName(f)}" }.Concat(ReadShared(f)))
        );
        throw new TimeoutException($"Waited 30 s for: {what}. Last: {last?.Message}\n{logs}");
    }

    /// <summary>The log of a component.</summary>
    internal Task<string> LogAsync(string component) =>
        Task.FromResult(string.Join('\n', ReadShared(Path.Combine(_directory, component + ".log"), int.MaxValue)));

    internal Task<string> GatewayAddressAsync(string name) =>
        EventuallyAsync(
            async () => (string?)(await GatewayApiAsync("gateways", name))["status"]?["addresses"]?[0]?["value"],
            $"Gateway {name} has an address"
        );

    internal async Task<HttpResponseMessage> SendAsync(
        string address,
        string host,
        string path = "/",
        Action<HttpRequestMessage>? configure = null,
        Version? version = null
    )
    {
        using var client = new HttpClient(Sandbox.CreateGatewayHandler());
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{address}{path}")
        {
            Version = version ?? HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.Host = host;
        configure?.Invoke(request);
        return await client.SendAsync(request);
    }

    internal Task<EchoedRequest> EchoAsync(
        string address,
        string host,
        string path = "/",
        Action<HttpRequestMessage>? configure = null,
        Version? version = null
    ) =>
        EventuallyAsync(
            async () =>
            {
                using var response = await SendAsync(address, host, path, configure, version);
                return response.IsSuccessStatusCode
                    ? EchoResponder.Parse(await response.Content.ReadAsStringAsync())
                    : throw new InvalidOperationException($"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
            },
            $"an answer of a backend to http://{host}{path}"
        );

    private static List<string> ReadShared(string path, int last = 25)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n').TakeLast(last).ToList();
    }
}
