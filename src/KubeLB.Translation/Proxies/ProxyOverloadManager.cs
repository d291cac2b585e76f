using System.Text.Json.Nodes;

namespace KubeLB.Translation.Proxies;

/// <summary>
/// Envoy's overload manager: gives memory back, then refuses requests, before the kernel would kill the proxy; and refuses connections
/// above a number. https://www.envoyproxy.io/docs/envoy/latest/configuration/operations/overload_manager/overload_manager
/// </summary>
internal static class ProxyOverloadManager
{
    private const string Heap = "envoy.resource_monitors.fixed_heap";
    private const string Connections = "envoy.resource_monitors.global_downstream_max_connections";
    private const string TypePrefix = "type.googleapis.com/envoy.extensions.resource_monitors.";

    public static JsonObject Build(ProxyOverload limits)
    {
        var (monitors, actions) = (new JsonArray(), new JsonArray());
        if (limits.HeapBytes is { } bytes)
        {
            monitors.Add(Monitor(Heap, "fixed_heap.v3.FixedHeapConfig", "max_heap_size_bytes", bytes));
            actions.Add(Action("envoy.overload_actions.shrink_heap", 0.95));
            actions.Add(Action("envoy.overload_actions.stop_accepting_requests", 0.98));
        }

        if (limits.Connections is { } connections)
        {
            monitors.Add(
                Monitor(
                    Connections,
                    "downstream_connections.v3.DownstreamConnectionsConfig",
                    "max_active_downstream_connections",
                    connections
                )
            );
        }

        var manager = new JsonObject { ["refresh_interval"] = "0.25s", ["resource_monitors"] = monitors };
        if (actions.Count > 0)
        {
            manager["actions"] = actions;
        }

        return manager;
    }

    private static JsonObject Monitor(string name, string type, string field, long limit) =>
        new()
        {
            ["name"] = name,
            ["typed_config"] = new JsonObject { ["@type"] = TypePrefix + type, [field] = limit },
        };

    private static JsonObject Action(string name, double threshold) =>
        new()
        {
            ["name"] = name,
            ["triggers"] = new JsonArray(
                new JsonObject
                {
                    ["name"] = Heap,
                    ["threshold"] = new JsonObject { ["value"] = threshold },
                }
            ),
        };
}
