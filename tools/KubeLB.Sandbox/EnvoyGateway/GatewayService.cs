using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.EnvoyGateway.Statuses;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Sandbox.EnvoyGateway;

/// <summary>
/// The Service of a Gateway, with the name, labels and ports of Envoy Gateway. It has no selector, because the stand-in has no pods. Pure.
/// </summary>
internal static class GatewayService
{
    /// <summary>Namespace of Envoy Gateway.</summary>
    public const string Namespace = "envoy-gateway-system";

    private const string GatewayNameLabel = "gateway.envoyproxy.io/owning-gateway-name";
    private const string GatewayNamespaceLabel = "gateway.envoyproxy.io/owning-gateway-namespace";

    // The rest of a name has at most 63 characters: a prefix, a hyphen and 8 characters of the hash.
    private const int MaxNameOfGateway = 48;

    // Envoy Gateway's proxies run without permission for ports below 1024.
    private const int FirstUnprivilegedPort = 1024;
    private const int PrivilegedPortOffset = 10000;

    /// <summary>Key of the Service of a Gateway.</summary>
    public static ResourceKey KeyOf(ResourceKey gateway)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{gateway.Namespace}/{gateway.Name}"));
        var name = $"{gateway.Namespace}-{gateway.Name}";
        name = name.Length > MaxNameOfGateway ? name[..MaxNameOfGateway].TrimEnd('-', '.') : name;
        return new ResourceKey(Namespace, $"envoy-{name.Replace('.', '-')}-{Convert.ToHexStringLower(hash)[..8]}");
    }

    /// <summary>The Gateway of a Service; null if it is not the Service of a Gateway.</summary>
    public static ResourceKey? GatewayOf(V1Service service) =>
        service.Namespace() == Namespace
        && service.GetLabel(GatewayNameLabel) is { } name
        && service.GetLabel(GatewayNamespaceLabel) is { } ns
            ? new ResourceKey(ns, name)
            : null;

    /// <summary>The Service of a Gateway.</summary>
    /// <param name="evaluation">The evaluated Gateway.</param>
    public static V1Service Of(GatewayEvaluation evaluation)
    {
        var key = KeyOf(evaluation.Key);
        return new V1Service
        {
            ApiVersion = V1Service.KubeApiVersion,
            Kind = V1Service.KubeKind,
            Metadata = new V1ObjectMeta
            {
                Name = key.Name,
                NamespaceProperty = key.Namespace,
                Labels = new Dictionary<string, string>
                {
                    ["app.kubernetes.io/component"] = "proxy",
                    ["app.kubernetes.io/managed-by"] = "envoy-gateway",
                    ["app.kubernetes.io/name"] = "envoy",
                    [GatewayNameLabel] = evaluation.Key.Name,
                    [GatewayNamespaceLabel] = evaluation.Key.Namespace,
                },
            },
            Spec = new V1ServiceSpec
            {
                Type = "LoadBalancer",

                // Node ports would reduce those of the sandbox, and nothing would serve them.
                AllocateLoadBalancerNodePorts = false,
                ExternalIPs = evaluation.RequestedAddresses.Count == 0 ? null : [.. evaluation.RequestedAddresses],
                Ports =
                [
                    .. evaluation
                        .Listeners.Where(l => l.IsProgrammed)
                        .Select(l => l.Listener)
                        .DistinctBy(l => (l.Port, ProtocolOf(l)))
                        .OrderBy(l => l.Port)
                        .Select(Port),
                ],
            },
        };
    }

    private static V1ServicePort Port(Listener listener) =>
        new()
        {
            Name = string.Create(CultureInfo.InvariantCulture, $"{listener.Protocol.ToLowerInvariant()}-{listener.Port}"),
            Protocol = ProtocolOf(listener),
            Port = listener.Port,
            TargetPort = listener.Port < FirstUnprivilegedPort ? listener.Port + PrivilegedPortOffset : listener.Port,
        };

    private static string ProtocolOf(Listener listener) => listener.Protocol == "UDP" ? "UDP" : "TCP";
}

/// <summary>Writes the Services of Gateways.</summary>
internal sealed class GatewayServices([FromKeyedServices(EnvoyGatewayHost.Cluster)] Cluster cluster, Applier applier)
{
    /// <summary>Creates or updates the Service of a Gateway.</summary>
    /// <param name="gateway">The evaluated Gateway.</param>
    /// <param name="address">The address at which it is served.</param>
    /// <param name="cancellationToken">Cancels the requests.</param>
    public async Task WriteAsync(GatewayEvaluation gateway, IPAddress address, CancellationToken cancellationToken)
    {
        var service = await WriteAsync(GatewayService.Of(gateway), cancellationToken).ConfigureAwait(false);
        var status = new JsonObject
        {
            ["loadBalancer"] = new JsonObject
            {
                ["ingress"] = new JsonArray(new JsonObject { ["ip"] = address.ToString(), ["ipMode"] = "VIP" }),
            },
        };
        await applier.ApplyStatusAsync(cluster, service, status, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Deletes the Service of a Gateway if it exists.</summary>
    public async Task DeleteAsync(ResourceKey gateway, CancellationToken cancellationToken)
    {
        if (cluster.Informer<V1Service>().Get(GatewayService.KeyOf(gateway)) is { } service)
        {
            await applier.DeleteAsync(cluster, service, cancellationToken).ConfigureAwait(false);
        }
    }

    // Without the applier, whose annotation Envoy Gateway does not set.
    private async Task<V1Service> WriteAsync(V1Service desired, CancellationToken cancellationToken)
    {
        var key = ResourceKey.Of(desired);
        var informer = cluster.Informer<V1Service>();
        V1Service written;
        if (informer.Get(key) is not { } current)
        {
            written = await cluster.Client<V1Service>().CreateAsync(desired, cancellationToken).ConfigureAwait(false);
        }
        else if (Difference(ApiJson.ToJson(current), ApiJson.ToJson(desired)) is { Count: > 0 } patch)
        {
            written = await cluster.Client<V1Service>().MergePatchAsync(key, patch, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            return current;
        }

        informer.Observe(written);
        return written;
    }

    private static JsonObject Difference(JsonObject current, JsonObject desired)
    {
        var patch = new JsonObject();
        if (!JsonComparison.Contains(current["metadata"]!["labels"] ?? new JsonObject(), desired["metadata"]!["labels"]!))
        {
            patch["metadata"] = new JsonObject { ["labels"] = desired["metadata"]!["labels"]!.DeepClone() };
        }

        var spec = new JsonObject();
        foreach (var field in new[] { "type", "allocateLoadBalancerNodePorts", "ports", "externalIPs" })
        {
            var (present, wanted) = (current["spec"]![field], desired["spec"]![field]);
            if (wanted is null ? present is not null : present is null || !JsonComparison.Contains(present, wanted))
            {
                spec[field] = wanted?.DeepClone();
            }
        }

        if (spec.Count > 0)
        {
            patch["spec"] = spec;
        }

        return patch;
    }
}
