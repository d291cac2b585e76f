using System.CommandLine;
using KubeLB.Runtime.CommandLine;
using KubeLB.Runtime.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KubeLB.Runtime.Tests.CommandLine;

/// <summary>A controller process from its command line to its exit code.</summary>
public class ControllerProgramTests
{
    [Fact]
    public async Task Process_that_is_stopped_while_it_starts_exits_without_an_error()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddKubeRuntime(runtime =>
        {
            runtime.MetricsAddress = "";
            runtime.ProbeAddress = "";
        });
        builder.Services.AddHostedService<StoppedDuringStart>();

        var exit = await ControllerProgram.RunAsync(
            new RootCommand(),
            BuildVersion.FromAssembly(typeof(ControllerProgramTests).Assembly),
            [],
            _ => builder.Build()
        );

        exit.Should().Be(ControllerExitCodes.Ok);
    }

    /// <summary>Starts until SIGTERM, like a service that waits for an API server.</summary>
    private sealed class StoppedDuringStart(IHostApplicationLifetime lifetime) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            lifetime.StopApplication();
            return Task.Delay(Timeout.Infinite, cancellationToken);
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
