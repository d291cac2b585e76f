using System.CommandLine;
using System.Text.Json;
using KubeLB.Cli.Rendering;
using KubeLB.Inspection.Tracing;
using KubeLB.Runtime.CommandLine;
using static KubeLB.Runtime.CommandLine.ControllerOptions;

namespace KubeLB.Cli.Commands;

/// <summary><c>kubelb trace</c>: follows one object through both clusters.</summary>
internal static class TraceCommand
{
    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(2);

    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        var connections = new ConnectionOptions();
        var installation = new InstallationOptions();
        var target = new Argument<string>("object")
        {
            HelpName = "KIND/NAME|URL",
            Description = "KIND/NAME: " + string.Join(", ", TraceTarget.KindNames) + "; or a URL, for example http://api.example.com/users",
        };
        target.CompletionSources.Add(_ => TraceTarget.KindNames.Select(k => new System.CommandLine.Completions.CompletionItem(k + "/")));
        var @namespace = new Option<string>("--namespace", "-n")
        {
            Description = "Namespace of the object",
            DefaultValueFactory = _ => "default",
        };
        var output = OneOf("--output", "Format of the output", "tree", "tree", "json", "yaml");
        output.Aliases.Add("-o");
        var watch = Switch("--watch", "Follow changes until Ctrl-C");
        watch.Aliases.Add("-w");
        var probe = Switch("--probe", "Send a request through the Gateway, and show where it ended");
        var method = Text("--method", "Method of the request of a URL or --probe", "GET");
        method.Aliases.Add("-X");
        var header = new Option<string[]>("--header", "-H") { Description = "Header of that request, NAME: VALUE; may be repeated" };
        var xdsUrl = ManagerDebugOption.Create();
        var command = new Command(
            "trace",
            "Follow a route, Gateway, Service or URL through both clusters, and show where its requests stop"
        )
        {
            target,
            @namespace,
            output,
            watch,
            probe,
            method,
            header,
            xdsUrl,
        };
        Examples.Add(
            command,
            """
              kubelb trace httproute/api-route
              kubelb trace gateway/my-gateway -n web --management-context admin@management
              kubelb trace http://api.example.com/users -H "X-Version: v2" --probe
              kubelb trace service/api-backend -o json

            Exit code 0 if no problem was found, 1 if one was, 2 for an invalid command line.
            """
        );
        connections.AddTo(command);
        installation.AddTo(command);
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                await using var clusters = connections.Open(parsed);
                var run = new TraceRun(
                    clusters,
                    installation.TraceSettings(parsed, connections.TenantNamespace(parsed)),
                    ManagerDebugOption.Read(parsed, xdsUrl)
                );
                var request = new ProbeRequest(MethodOf(parsed.GetValue(method)!), Headers(parsed.GetValue(header) ?? []));
                var text = parsed.GetValue(target)!;
                var writer = new TraceOutput(parsed.InvocationConfiguration.Output, parsed.GetValue(output)!);
                var wanted =
                    Uri.TryCreate(text, UriKind.Absolute, out var requested) && requested.Scheme is "http" or "https" ? requested : null;
                var traced = wanted is not null ? null : TargetOf(text, parsed.GetValue(@namespace)!);
                string? shown = null;
                while (true)
                {
                    var traces = wanted is not null
                        ? await run.TraceUrlAsync(wanted, request, cancellationToken).ConfigureAwait(false)
                        : await run.TraceAsync(traced!, cancellationToken).ConfigureAwait(false);
                    if (parsed.GetValue(probe))
                    {
                        traces = await TraceRun.ProbeAsync(traces, wanted, request, cancellationToken).ConfigureAwait(false);
                    }

                    // Ages alone are no change.
                    var state = JsonSerializer.Serialize(traces.Select(t => t with { Hops = [.. t.Hops.Select(WithoutDuration)] }));
                    if (state != shown)
                    {
                        await writer.WriteAsync(traces, isUpdate: shown is not null).ConfigureAwait(false);
                        shown = state;
                    }

                    if (!parsed.GetValue(watch))
                    {
                        // Nothing is known of a trace without a hop that could be read.
                        return traces.All(t => t.Break is null && t.Hops.Any(h => h.State != HopState.Unseen))
                            ? ExitCodes.Ok
                            : ExitCodes.Failed;
                    }

                    await Task.Delay(WatchInterval, cancellationToken).ConfigureAwait(false);
                }
            }
        );
        return command;
    }

    private static TraceTarget TargetOf(string text, string @namespace) =>
        TraceTarget.Parse(text, @namespace, out var problem) ?? throw new UsageException(problem);

    // How long a request took is no change.
    private static Hop WithoutDuration(Hop hop) => hop.End is null ? hop : hop with { Detail = null };

    private static string MethodOf(string text) =>
        text.Length > 0 && text.All(char.IsAsciiLetter)
            ? text.ToUpperInvariant()
            : throw new UsageException($"Invalid method \"{text}\"; write one such as GET or POST.");

    private static IReadOnlyList<(string Name, string Value)> Headers(IEnumerable<string> headers) =>
        [
            .. headers.Select(h =>
                h.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon
                    ? (h[..colon].Trim(), h[(colon + 1)..].Trim())
                    : throw new UsageException($"Invalid header \"{h}\"; write NAME: VALUE.")
            ),
        ];
}
