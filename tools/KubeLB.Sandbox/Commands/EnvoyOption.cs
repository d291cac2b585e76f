using System.CommandLine;
using KubeLB.Runtime.CommandLine;
using KubeLB.Sandbox.Proxies.Processes;

namespace KubeLB.Sandbox.Commands;

/// <summary>The choice between a real Envoy and the stand-in for the tenants' proxies.</summary>
internal sealed class EnvoyOption
{
    private readonly Option<string?> _envoy = new("--envoy")
    {
        Description =
            $"Envoy binary to run as the tenants' proxies [default: ${EnvoyProgram.Variable}, else envoy on PATH, else the stand-in]",
        HelpName = "PATH",
    };

    private readonly Option<bool> _standIn = new("--stand-in")
    {
        Description = "Use the stand-in for the tenants' proxies, even where there is an Envoy",
    };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_envoy);
        command.Options.Add(_standIn);
    }

    /// <summary>What a command line chose.</summary>
    /// <returns>Envoy's path, null for the stand-in; and why it is the stand-in.</returns>
    /// <exception cref="UsageException">Both were given.</exception>
    public (string? Path, string Reason) Read(ParseResult parsed)
    {
        var named = parsed.GetValue(_envoy);
        if (parsed.GetValue(_standIn))
        {
            return named is null
                ? (null, "--stand-in")
                : throw new UsageException("--envoy and --stand-in exclude each other; leave one out.");
        }

        if (named is not null && string.IsNullOrWhiteSpace(named))
        {
            throw new UsageException("--envoy must name a binary; without it, envoy is looked for on PATH.");
        }

        return (named ?? EnvoyProgram.Find(), $"no envoy on PATH, and {EnvoyProgram.Variable} is not set; see --envoy");
    }
}
