using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KubeLB.Runtime.Probes;

/// <summary>
/// Creates and starts HTTP listeners inside a host. They do not read configuration files, environment variables or arguments of the
/// process, and do not handle signals; the host does.
/// </summary>
public static class KestrelListener
{
    /// <summary>Creates the builder of a listener.</summary>
    /// <param name="address">The address to listen on.</param>
    /// <param name="configure">Configures the endpoint; null for the defaults.</param>
    public static WebApplicationBuilder CreateBuilder(ListenAddress address, Action<ListenOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
            {
                kestrel.AddServerHeader = false;
                if (address.Address is null)
                {
                    kestrel.ListenAnyIP(address.Port, endpoint => configure?.Invoke(endpoint));
                }
                else
                {
                    kestrel.Listen(address.Address, address.Port, endpoint => configure?.Invoke(endpoint));
                }
            });
        return builder;
    }

    /// <summary>Starts a listener.</summary>
    /// <param name="app">The application, built from <see cref="CreateBuilder"/>.</param>
    /// <param name="address">The address to listen on.</param>
    /// <param name="purpose">The purpose of the listener, for the error message.</param>
    /// <param name="flag">The flag that sets the address, for the error message.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    /// <returns>The bound address.</returns>
    /// <exception cref="IOException">The address cannot be bound.</exception>
    public static async Task<IPEndPoint> StartAsync(
        WebApplication app,
        ListenAddress address,
        string purpose,
        string flag,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(address);
        try
        {
            await app.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new IOException(
                $"Cannot listen on {address} for {purpose}: {e.InnerException?.Message ?? e.Message}. Set {flag} to another address.",
                e
            );
        }

        var bound = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        var uri = new Uri(bound.Replace("://[::]", "://[::1]", StringComparison.Ordinal));
        return new IPEndPoint(address.Address ?? IPAddress.Any, uri.Port);
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
