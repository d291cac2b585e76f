using System.Net;
using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Translation.Proxies;

namespace KubeLB.Sandbox.Proxies.Processes;

/// <summary>
/// The command of a proxy's container on this machine: the pod's arguments with replaced binary, certificate directory and control plane
/// address. If a pod has no interfaces of its own, listening addresses are replaced, too. Pure.
/// </summary>
internal static class ProxyCommand
{
    /// <summary>Metadata key of the pod name in the bootstrap, for the relay.</summary>
    public const string PodHeader = "x-sandbox-pod";

    private const string NodeArgument = "--service-node";
    private const string ConfigurationArgument = "--config-yaml";
    private const string XdsCluster = "xds_cluster";

    /// <summary>The proxy's node id; null if the pod is not a proxy.</summary>
    public static string? NodeOf(V1PodSpec? spec) =>
        spec?.Containers is [{ Args: { } arguments }] ? arguments.SkipWhile(a => a != NodeArgument).Skip(1).FirstOrDefault() : null;

    /// <summary>The name of the mounted Secret; null for none.</summary>
    public static string? SecretOf(V1PodSpec spec) =>
        (spec.Volumes ?? []).Select(v => v.Secret?.SecretName).FirstOrDefault(name => name is not null);

    /// <summary>The arguments.</summary>
    /// <param name="pod">Name of the pod.</param>
    /// <param name="container">The proxy's container.</param>
    /// <param name="certificates">The directory of the mounted Secret; null for none.</param>
    /// <param name="controlPlane">The end point of the manager's Service.</param>
    /// <param name="listenAt">
    /// The address to listen on, with a relay as control plane; null for the addresses in the pod's arguments.
    /// </param>
    public static IReadOnlyList<string> Arguments(
        string pod,
        V1Container container,
        string? certificates,
        IPEndPoint controlPlane,
        IPAddress? listenAt
    )
    {
        var arguments = container.Args.Select(argument => Expand(argument, pod, container)).ToList();
        var at = arguments.IndexOf(ConfigurationArgument) + 1;
        var text = certificates is null
            ? arguments[at]
            : arguments[at].Replace(ProxyCertificateFiles.Folder, certificates, StringComparison.Ordinal);
        var bootstrap = JsonNode.Parse(text)!;
        if (listenAt is not null)
        {
            ListenAt(bootstrap, $"{listenAt}");
            bootstrap["dynamic_resources"]!["ads_config"]!["grpc_services"]![0]!["initial_metadata"] = new JsonArray(
                new JsonObject { ["key"] = PodHeader, ["value"] = $"{listenAt}" }
            );
        }

        foreach (var cluster in bootstrap["static_resources"]!["clusters"]!.AsArray().Where(c => (string?)c!["name"] == XdsCluster))
        {
            var address = cluster!["load_assignment"]!["endpoints"]![0]!["lb_endpoints"]![0]!["endpoint"]!["address"]!["socket_address"]!;
            address["address"] = $"{controlPlane.Address}";
            address["port_value"] = controlPlane.Port;
            if (listenAt is not null)
            {
                cluster.AsObject().Remove("transport_socket");
            }
        }

        arguments[at] = bootstrap.ToJsonString();
        return arguments;
    }

    // As the kubelet: https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
    private static string Expand(string argument, string pod, V1Container container) =>
        (container.Env ?? []).Aggregate(
            argument,
            (text, variable) =>
                text.Replace(
                    $"$({variable.Name})",
                    variable.ValueFrom?.FieldRef?.FieldPath == "metadata.name" ? pod : variable.Value ?? "",
                    StringComparison.Ordinal
                )
        );

    /// <summary>The preStop command; null if there is none.</summary>
    /// <param name="container">The container.</param>
    /// <param name="loopback">The loopback address of the pod.</param>
    public static IReadOnlyList<string>? PreStop(V1Container container, IPAddress loopback) =>
        container.Lifecycle?.PreStop?.Exec?.Command is { Count: > 0 } command
            ? [.. command.Select(part => part.Replace($"{IPAddress.Loopback}", $"{loopback}", StringComparison.Ordinal))]
            : null;

    private static void ListenAt(JsonNode? node, string address)
    {
        switch (node)
        {
            case JsonObject value:
                if (value["socket_address"] is JsonObject socket && (string?)socket["address"] is "0.0.0.0" or "127.0.0.1")
                {
                    value["socket_address"]!["address"] = address;
                }

                foreach (var (_, member) in value.ToList())
                {
                    ListenAt(member, address);
                }

                break;
            case JsonArray items:
                foreach (var item in items)
                {
                    ListenAt(item, address);
                }

                break;
        }
    }
}
