using System.Globalization;
using System.Net;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using KubeLB.Xds;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using SocketAddress = Envoy.Config.Core.V3.SocketAddress;

namespace KubeLB.Benchmarks;

/// <summary>A KubeLB.Xds server on loopback, and resources like a tenant's for it.</summary>
internal static class XdsServer
{
    private const int EndpointsPerCluster = 3;

    public static async Task<WebApplication> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, o => o.Protocols = HttpProtocols.Http2));
        builder.Services.AddXds();
        var app = builder.Build();
        app.MapXds();
        await app.StartAsync();
        return app;
    }

    public static string Name(int i) => $"tenant-t-route-{i.ToString("d5", CultureInfo.InvariantCulture)}-http";

    public static Cluster NewCluster(string name) =>
        new()
        {
            Name = name,
            Type = Cluster.Types.DiscoveryType.Eds,
            EdsClusterConfig = new Cluster.Types.EdsClusterConfig { EdsConfig = new ConfigSource { Ads = new AggregatedConfigSource() } },
        };

    public static ClusterLoadAssignment NewEndpoints(string name, int change)
    {
        var group = new LocalityLbEndpoints();
        for (var i = 0; i < EndpointsPerCluster; i++)
        {
            var address = new SocketAddress { Address = $"10.{change / 250 % 250}.{change % 250}.{i + 1}", PortValue = 30_080 };
            group.LbEndpoints.Add(new LbEndpoint { Endpoint = new Endpoint { Address = new Address { SocketAddress = address } } });
        }

        return new ClusterLoadAssignment { ClusterName = name, Endpoints = { group } };
    }
}
