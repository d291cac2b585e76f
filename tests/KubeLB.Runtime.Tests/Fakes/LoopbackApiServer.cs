using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Runtime.Tests.Fakes;

/// <summary>
/// A <see cref="FakeApiServer"/> behind a real socket, for what only a real connection shows: streaming, cancelling, credentials.
/// </summary>
internal sealed class LoopbackApiServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _abortedStreams;

    private LoopbackApiServer(WebApplication app) => _app = app;

    public string Address { get; private set; } = "";

    /// <summary>Value of the last Authorization header.</summary>
    public string? Authorization { get; private set; }

    /// <summary>The number of streams that the client has closed.</summary>
    public int AbortedStreams => _abortedStreams;

    public static async Task<LoopbackApiServer> StartAsync(FakeApiServer fake)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(System.Net.IPAddress.Loopback, 0));
        var server = new LoopbackApiServer(builder.Build());
        server._app.Run(context => server.AnswerAsync(fake, context));
        await server._app.StartAsync();
        server.Address = server._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return server;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task AnswerAsync(FakeApiServer fake, HttpContext context)
    {
        Authorization = context.Request.Headers.Authorization;
        using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), context.Request.GetEncodedUrl());
        if (context.Request.ContentType is { } type)
        {
            request.Content = new StreamContent(context.Request.Body);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        }

        using var response = await fake.AnswerAsync(request, context.RequestAborted);
        context.Response.StatusCode = (int)response.StatusCode;
        context.Response.ContentType = "application/json";
        await context.Response.StartAsync();
        var body = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[4096];
        try
        {
            for (int read; (read = await body.ReadAsync(buffer, context.RequestAborted)) > 0; )
            {
                await context.Response.Body.WriteAsync(buffer.AsMemory(0, read));
                await context.Response.Body.FlushAsync();
            }
        }
        catch (OperationCanceledException)
        {
            Interlocked.Increment(ref _abortedStreams);
        }
        catch (IOException)
        {
            context.Abort();
        }
    }
}
