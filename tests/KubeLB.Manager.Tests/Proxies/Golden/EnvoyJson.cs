using System.Text.Json.Nodes;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.AccessLoggers.Stream.V3;
using Envoy.Extensions.Filters.Http.Router.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Envoy.Extensions.Retry.Host.PreviousHosts.V3;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using KubeLB.Xds.Resources;
using HttpProtocolOptions = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;

namespace KubeLB.Manager.Tests.Proxies.Golden;

/// <summary>Resources as Envoy reads and prints them in files: JSON with the names of the protos.</summary>
internal static class EnvoyJson
{
    private static readonly JsonFormatter Formatter = new(
        JsonFormatter
            .Settings.Default.WithPreserveProtoFieldNames(true)
            .WithTypeRegistry(
                TypeRegistry.FromMessages(
                    Listener.Descriptor,
                    Cluster.Descriptor,
                    HttpConnectionManager.Descriptor,
                    TcpProxy.Descriptor,
                    Router.Descriptor,
                    PreviousHostsPredicate.Descriptor,
                    StdoutAccessLog.Descriptor,
                    HttpProtocolOptions.Descriptor
                )
            )
    );

    public static JsonObject Of(IMessage message) => JsonNode.Parse(Formatter.Format(message))!.AsObject();

    /// <summary>A resource with its type, as in a discovery response.</summary>
    public static JsonObject Of(VersionedResource resource) => Of(resource.Body);

    /// <summary>Everything a node has as <c>static_resources</c>, with the endpoints in their clusters.</summary>
    public static JsonObject Static(ResourceCache cache, string node)
    {
        var clusters = cache
            .List(node, ResourceTypes.Cluster)
            .Select(r => r.Body.Unpack<Cluster>())
            .Select(cluster =>
            {
                if (cluster.EdsClusterConfig is { } eds)
                {
                    var endpoints = cache
                        .Find(node, ResourceTypes.ClusterLoadAssignment, eds.ServiceName)!
                        .Body.Unpack<Envoy.Config.Endpoint.V3.ClusterLoadAssignment>();
                    cluster.EdsClusterConfig = null;
                    cluster.Type = Cluster.Types.DiscoveryType.Static;
                    cluster.LoadAssignment = endpoints;
                }

                return (JsonNode)Of(cluster);
            });
        var listeners = cache.List(node, ResourceTypes.Listener).Select(r => (JsonNode)Of(r.Body.Unpack<Listener>()));
        return new JsonObject
        {
            ["static_resources"] = new JsonObject
            {
                ["clusters"] = new JsonArray([.. clusters]),
                ["listeners"] = new JsonArray([.. listeners]),
            },
        };
    }
}
