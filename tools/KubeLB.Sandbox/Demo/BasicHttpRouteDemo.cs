using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Autorest;
using KubeLB.Api;
using KubeLB.Sandbox.Commands;
using KubeLB.Sandbox.Composition;
using KubeLB.Sandbox.Pods;

namespace KubeLB.Sandbox.Demo;

/// <summary>Runs the documentation's section "Basic HTTPRoute" and shows each step.</summary>
internal sealed class BasicHttpRouteDemo(SandboxEnvironment sandbox, Output output)
{
    private const string Namespace = "default";
    private const string GatewayName = "my-gateway";
    private const string RouteName = "api-route";
    private const string Host = "api.example.com";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(25);
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly TenantCluster _tenant = sandbox.Tenants[0];

    /// <summary>Runs the demo.</summary>
    /// <returns>Whether the backend responded.</returns>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        using var tenantClient = _tenant.Cluster.CreateClient("kubelb-demo");
        using var managementClient = sandbox.Management.CreateClient("kubelb-demo");
        var tenant = new ClusterReader(tenantClient);
        var management = new ClusterReader(managementClient);
        try
        {
            await ApplyAsync(tenantClient, cancellationToken).ConfigureAwait(false);
            await ShowRoutesAsync(management, cancellationToken).ConfigureAwait(false);
            await ShowGeneratedAsync(management, cancellationToken).ConfigureAwait(false);
            var address = await ShowGatewayAsync(tenant, cancellationToken).ConfigureAwait(false);
            await ShowRouteStatusAsync(tenant, cancellationToken).ConfigureAwait(false);
            return await SendAsync(management, address, cancellationToken).ConfigureAwait(false);
        }
        catch (DemoFailureException e)
        {
            output.Failure(e.Message);
            if (e.Status is not null)
            {
                output.Line(e.Status.ToJsonString(Indented));
            }

            return false;
        }
    }

    private async Task ApplyAsync(IKubernetes client, CancellationToken cancellationToken)
    {
        output.Heading($"1. Tenant cluster: create the Gateway, the backend and the HTTPRoute of the documentation");
        foreach (var manifest in ManifestYaml.Read(DemoManifests.BasicHttpRoute))
        {
            try
            {
                await ManifestClient.CreateAsync(client, manifest, cancellationToken).ConfigureAwait(false);
            }
            catch (HttpOperationException e)
            {
                throw new DemoFailureException(
                    $"Step 1 failed: {ManifestClient.NameOf(manifest)} was rejected: {e.Response?.Content}",
                    null
                );
            }

            output.Line($"  {ManifestClient.NameOf(manifest)} created");
        }
    }

    private async Task ShowRoutesAsync(ClusterReader management, CancellationToken cancellationToken)
    {
        output.Heading($"2. Management cluster: the CCM created a Route for both (kubectl get routes -n {_tenant.Namespace})");
        var routes = await UntilAsync(
                "Step 2 failed: the Routes for the Gateway and the HTTPRoute were not created; see ccm-*.log",
                () => management.ListAsync(ApiGroups.Kubelb, "v1alpha1", _tenant.Namespace, "routes", cancellationToken),
                found => found.Count >= 2,
                cancellationToken
            )
            .ConfigureAwait(false);
        output.Table(
            ["NAME", "ORIGINNAME", "ORIGINNAMESPACE", "ORIGINRESOURCE"],
            routes.Select(r =>
                new[] { Name(r), Label(r, Labels.OriginName), Label(r, Labels.OriginNamespace), Label(r, Labels.OriginResourceKind) }
            )
        );
    }

    private async Task ShowGeneratedAsync(ClusterReader management, CancellationToken cancellationToken)
    {
        output.Heading($"3. Management cluster: the manager generated resources for Envoy Gateway in {_tenant.Namespace}");
        var rows = new List<string[]>();
        foreach (var plural in new[] { "gateways", "httproutes" })
        {
            var found = await UntilAsync(
                    $"Step 3 failed: no {plural} were generated; see manager.log",
                    () => management.ListAsync(ApiGroups.GatewayApi, "v1", _tenant.Namespace, plural, cancellationToken),
                    list => list.Count > 0,
                    cancellationToken
                )
                .ConfigureAwait(false);
            rows.AddRange(found.Select(o => new[] { (string)o["kind"]!, Name(o), Detail(o) }));
        }

        var services = await UntilAsync(
                "Step 3 failed: no Service was generated; see manager.log",
                () => management.ServicesAsync(_tenant.Namespace, cancellationToken),
                list => list.Count > 0,
                cancellationToken
            )
            .ConfigureAwait(false);
        rows.AddRange(
            services.Select(s =>
                new[]
                {
                    "Service",
                    Name(s),
                    $"port {s["spec"]!["ports"]![0]!["port"]} → proxy port {s["spec"]!["ports"]![0]!["targetPort"]}",
                }
            )
        );
        output.Table(["KIND", "NAME", ""], rows);
    }

    private async Task<string> ShowGatewayAsync(ClusterReader tenant, CancellationToken cancellationToken)
    {
        output.Heading($"4. Tenant cluster: the Gateway has an address (kubectl get gateway {GatewayName})");
        var gateway = (
            await UntilAsync(
                    $"Step 4 failed: Gateway {GatewayName} was not programmed with an address; its status:",
                    () => tenant.GatewayApiAsync(Namespace, "gateways", GatewayName, cancellationToken),
                    g => g?["status"]?["addresses"]?[0]?["value"] is not null && Condition(g["status"], "Programmed") == "True",
                    cancellationToken
                )
                .ConfigureAwait(false)
        )!;
        var address = (string)gateway["status"]!["addresses"]![0]!["value"]!;
        var age = DateTimeOffset.UtcNow - DateTimeOffset.Parse((string)gateway["metadata"]!["creationTimestamp"]!, null);
        output.Table(
            ["NAME", "CLASS", "ADDRESS", "PROGRAMMED", "AGE"],
            [
                [
                    GatewayName,
                    (string)gateway["spec"]!["gatewayClassName"]!,
                    address,
                    Condition(gateway["status"], "Programmed")!,
                    $"{Math.Max(0, (int)age.TotalSeconds)}s",
                ],
            ]
        );
        return address;
    }

    private async Task ShowRouteStatusAsync(ClusterReader tenant, CancellationToken cancellationToken)
    {
        var route = (
            await UntilAsync(
                    $"Step 4 failed: HTTPRoute {RouteName} was not accepted; its status:",
                    () => tenant.GatewayApiAsync(Namespace, "httproutes", RouteName, cancellationToken),
                    r =>
                        Condition(r?["status"]?["parents"]?[0], "Accepted") == "True"
                        && Condition(r?["status"]?["parents"]?[0], "ResolvedRefs") == "True",
                    cancellationToken
                )
                .ConfigureAwait(false)
        )!;
        var parent = route["status"]!["parents"]![0]!;
        var conditions = string.Join(", ", parent["conditions"]!.AsArray().Select(c => $"{c!["type"]}={c["status"]}"));
        output.Line($"  HTTPRoute {RouteName}: {conditions} (controller {parent["controllerName"]})");
    }

    private async Task<bool> SendAsync(ClusterReader management, string address, CancellationToken cancellationToken)
    {
        output.Heading("5. Test connectivity");
        var real = sandbox.ResolveGateway(System.Net.IPAddress.Parse(address), 80);
        var authority = real is null || real.Port == 80 ? address : real.ToString();
        output.Command($"curl -H \"Host: {Host}\" http://{authority}");
        using var client = new HttpClient(sandbox.CreateGatewayHandler());
        var answer = await UntilAsync(
                "Step 5 failed: the backend did not respond; last response:",
                () => SendRequestAsync(client, address, cancellationToken),
                a => a.Echo is not null,
                cancellationToken
            )
            .ConfigureAwait(false);
        output.Line(answer.Body.TrimEnd());
        await ShowHopsAsync(management, authority, answer.Echo!, cancellationToken).ConfigureAwait(false);
        output.Line();
        output.Success($"The backend responded: pod {answer.Echo!.Pod} in namespace {answer.Echo.Namespace} of tenant {_tenant.Name}.");
        return true;
    }

    private async Task ShowHopsAsync(ClusterReader management, string gateway, EchoedRequest echo, CancellationToken cancellationToken)
    {
        output.Heading("Path of the request");
        var service = (await management.ServicesAsync(_tenant.Namespace, cancellationToken).ConfigureAwait(false))[0];
        var target = (int)service["spec"]!["ports"]![0]!["targetPort"]!;
        using var client = _tenant.Cluster.CreateClient("kubelb-demo");
        var services = await new ClusterReader(client).ServicesAsync(Namespace, cancellationToken).ConfigureAwait(false);
        var nodePort = services.Select(s => s["spec"]?["ports"]?[0]?["nodePort"]).FirstOrDefault(p => p is not null);
        var logged = sandbox.Proxies is null ? null : await LoggedAsync(echo, cancellationToken).ConfigureAwait(false);
        output.Table(
            ["HOP", "ADDRESS", "IN A REAL INSTALLATION"],
            [
                [
                    "gateway (stand-in)",
                    gateway.Contains(':', StringComparison.Ordinal) ? gateway : $"{gateway}:80",
                    "Envoy Gateway's proxy",
                ],
                logged is null
                    ? ["tenant proxy (stand-in)", $"{sandbox.ResolveProxy(_tenant, target)}", "KubeLB's Envoy proxy for the tenant"]
                    : ["tenant proxy (Envoy)", $"{logged.Address}:{target}", "the same"],
                ["node port", $"{_tenant.NodeAddress}:{nodePort}", "kube-proxy of a tenant's node"],
                ["pod (echo backend)", $"{echo.PodIp}:{echo.ContainerPort}", "the tenant's pod"],
            ]
        );
        if (logged is not null)
        {
            output.Line();
            output.Line($"Access log of Envoy in pod {logged.Pod}:");
            output.Line($"  {logged.Text}");
        }
    }

    // Envoy adds a request id, which is in the backend's response and in the access log.
    private async Task<ProxyLogLine> LoggedAsync(EchoedRequest echo, CancellationToken cancellationToken)
    {
        var id = echo.Headers.FirstOrDefault(h => h.Key.Equals("x-request-id", StringComparison.OrdinalIgnoreCase)).Value?.FirstOrDefault();
        return (
            await UntilAsync(
                    "Step 5 failed: the request is not in the access logs of the tenant's Envoys.",
                    () =>
                        Task.FromResult(
                            sandbox.ProxyOutput(_tenant).LastOrDefault(l => id is not null && l.Text.Contains(id, StringComparison.Ordinal))
                        ),
                    l => l is not null,
                    cancellationToken
                )
                .ConfigureAwait(false)
        )!;
    }

    private static async Task<Answer> SendRequestAsync(HttpClient client, string address, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{address}");
        request.Headers.Host = Host;
        request.Headers.UserAgent.ParseAdd("curl/8");
        try
        {
            using var response = await client.SendAsync(request, cancellationToken).ConfigureAwait(false);
            var body = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
            return response.IsSuccessStatusCode
                ? new Answer(body, EchoResponder.Parse(body))
                : new Answer($"{(int)response.StatusCode} {body}", null);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException)
        {
            return new Answer(e.Message, null);
        }
    }

    private static async Task<T> UntilAsync<T>(string failure, Func<Task<T>> read, Func<T, bool> holds, CancellationToken cancellationToken)
    {
        var end = DateTimeOffset.UtcNow + Deadline;
        while (true)
        {
            var value = await read().ConfigureAwait(false);
            if (holds(value))
            {
                return value;
            }

            if (DateTimeOffset.UtcNow > end)
            {
                throw new DemoFailureException(
                    failure,
                    value switch
                    {
                        JsonNode node => node["status"]?.DeepClone(),
                        Answer answer => answer.Body,
                        _ => null,
                    }
                );
            }

            await Task.Delay(Interval, cancellationToken).ConfigureAwait(false);
        }
    }

    private static string Name(JsonNode value) => (string)value["metadata"]!["name"]!;

    private static string Label(JsonNode value, string label) => (string?)value["metadata"]!["labels"]?[label] ?? "";

    private static string? Condition(JsonNode? status, string type) =>
        (string?)status?["conditions"]?.AsArray().FirstOrDefault(c => (string?)c!["type"] == type)?["status"];

    private static string Detail(JsonNode value) =>
        value["spec"]?["gatewayClassName"] is { } gatewayClass
            ? $"class {gatewayClass}, listens on {value["spec"]!["listeners"]![0]!["port"]}"
            : $"host {value["spec"]?["hostnames"]?[0]}, to Service {value["spec"]?["rules"]?[0]?["backendRefs"]?[0]?["name"]}";

    private sealed record Answer(string Body, EchoedRequest? Echo);
}

/// <summary>A step of the demo failed or timed out.</summary>
internal sealed class DemoFailureException(string message, JsonNode? status) : Exception(message)
{
    /// <summary>The status of the object, if any.</summary>
    public JsonNode? Status => status;
}

/// <summary>The documentation's examples.</summary>
internal static class DemoManifests
{
    /// <summary>Example "Basic HTTPRoute".</summary>
    public static string BasicHttpRoute => Read("basic-httproute");

    private static string Read(string name)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream($"Demo/{name}.yaml")!);
        return reader.ReadToEnd();
    }
}
