using System.Text;
using k8s;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KubeLB.Benchmarks;

/// <summary>
/// A server that answers every request with the same ConfigMap: the upper bound of what KubernetesClient can send.
/// </summary>
internal sealed class CannedServer(WebApplication host) : IAsyncDisposable
{
    private static readonly byte[] Answer = Encoding.UTF8.GetBytes(
        """
        {"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"c-12345","namespace":"default",
        "uid":"0f6b3c1e-6c1f-4d0a-9d5e-2f6c8b7a1d3e","resourceVersion":"12345","creationTimestamp":"2026-01-01T00:00:00Z"},
        "data":{"k":"v"}}
        """
    );

    public static async Task<CannedServer> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var host = builder.Build();
        host.Run(async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            context.Response.StatusCode = StatusCodes.Status201Created;
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = Answer.Length;
            await context.Response.Body.WriteAsync(Answer);
        });
        await host.StartAsync();
        return new CannedServer(host);
    }

    public IKubernetes CreateClient() =>
        new Kubernetes(new KubernetesClientConfiguration { Host = host.Urls.First(), AccessToken = "any" });

    public ValueTask DisposeAsync() => host.DisposeAsync();
}
