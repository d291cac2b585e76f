using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using KubeLB.Inspection.Access;
using KubeLB.Inspection.Dashboard;
using KubeLB.Runtime.CommandLine;
using static KubeLB.Runtime.CommandLine.ControllerOptions;

namespace KubeLB.Cli.Commands;

/// <summary><c>kubelb dashboard</c>: serves the live page until Ctrl-C.</summary>
internal static class DashboardCommand
{
    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        var connections = new ConnectionOptions();
        var installation = new InstallationOptions();
        var port = Number("--port", "Port on 127.0.0.1; 0 for a free one");
        var @namespace = Text("--namespace", "Read only this namespace of the tenant's cluster, without permissions in the others");
        @namespace.Aliases.Add("-n");
        var open = Switch("--open", "Open the page in the default browser");
        var xdsUrl = ManagerDebugOption.Create();
        var command = new Command("dashboard", "Serve a live page of routes and their paths on 127.0.0.1, until Ctrl-C")
        {
            port,
            @namespace,
            open,
            xdsUrl,
        };
        Examples.Add(
            command,
            """
              kubelb dashboard --management-context admin@management
              kubelb dashboard --open --port 8090
              kubelb dashboard -n my-namespace --tenant my-tenant --management-kubeconfig my-tenant.kubeconfig

            The page reads both clusters with your kubeconfigs. Nothing runs in the clusters. Only the printed URL gives access to it.
            """
        );
        connections.AddTo(command);
        installation.AddTo(command);
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                if (parsed.GetValue(port) > ushort.MaxValue)
                {
                    throw new UsageException("--port: must be 0 to 65535.");
                }

                var (tenant, management) = connections.Connect(parsed);
                var only = parsed.GetValue(@namespace) is { Length: > 0 } given ? given : null;
                var tenantNamespace = connections.TenantNamespace(parsed);
                await using var dashboard = await StartAsync(
                        new DashboardOptions
                        {
                            Port = parsed.GetValue(port),
                            Management = management,
                            Tenants = tenant is null ? [] : [new DashboardTenant(tenant, tenantNamespace) { OnlyNamespace = only }],
                            Settings = installation.TraceSettings(parsed, tenantNamespace),
                            ManagerDebug = ManagerDebugOption.Read(parsed, xdsUrl),
                        },
                        cancellationToken
                    )
                    .ConfigureAwait(false);
                var output = parsed.InvocationConfiguration.Output;
                await output.WriteLineAsync($"{dashboard.Url}").ConfigureAwait(false);
                if (parsed.GetValue(open))
                {
                    using var page = RedirectPage.Write(dashboard.CreateOpenUrl());
                    await OpenAsync(page.Path, parsed.InvocationConfiguration.Error).ConfigureAwait(false);
                    await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    return ExitCodes.Ok;
                }

                await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return ExitCodes.Ok;
            }
        );
        return command;
    }

    private static async Task<DashboardServer> StartAsync(DashboardOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return await DashboardServer.StartAsync(options, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new InspectionException(e.Message);
        }
    }

    private static async Task OpenAsync(string path, TextWriter error)
    {
        try
        {
            using var browser = Process.Start(new ProcessStartInfo(path) { UseShellExecute = true });
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException or PlatformNotSupportedException)
        {
            await error.WriteLineAsync("No browser can be opened. Open the printed URL.").ConfigureAwait(false);
        }
    }

    // Other users of the machine can see the arguments of a browser, but not this file.
    private sealed class RedirectPage : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("kubelb-");

        public string Path => System.IO.Path.Combine(_folder.FullName, "dashboard.html");

        public static RedirectPage Write(Uri url)
        {
            var page = new RedirectPage();
            File.WriteAllText(page.Path, $"<!doctype html><meta http-equiv=\"refresh\" content=\"0;url={url}\"><title>KubeLB</title>");
            return page;
        }

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
