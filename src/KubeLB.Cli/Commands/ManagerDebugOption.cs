using System.CommandLine;
using KubeLB.Runtime.CommandLine;

namespace KubeLB.Cli.Commands;

/// <summary><c>--manager-debug-url</c>.</summary>
internal static class ManagerDebugOption
{
    /// <summary>Creates the option.</summary>
    public static Option<string> Create() =>
        ControllerOptions.Text(
            "--manager-debug-url",
            "URL of the manager's probes, for what the proxies have acknowledged: http://127.0.0.1:8081 after "
                + "kubectl -n kubelb port-forward deploy/kubelb-manager 8081"
        );

    /// <summary>Its value; null if none is given.</summary>
    public static Uri? Read(ParseResult parsed, Option<string> option) =>
        parsed.GetValue(option) is not { Length: > 0 } text ? null
        : Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" ? url
        : throw new UsageException($"Invalid {option.Name} \"{text}\"; write for example http://127.0.0.1:8081.");
}
