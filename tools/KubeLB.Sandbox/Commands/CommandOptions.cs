using System.CommandLine;
using System.Globalization;
using KubeLB.Runtime.CommandLine;
using KubeLB.Sandbox.Proxies.Processes;

namespace KubeLB.Sandbox.Commands;

/// <summary>Options that select a real Envoy or the stand-in for the tenant proxies.</summary>
internal sealed class EnvoyOption
{
    private readonly Option<string?> _envoy = new("--envoy")
    {
        Description = $"Envoy binary for the tenant proxies [default: ${EnvoyProgram.Variable}, else envoy on PATH, else the stand-in]",
        HelpName = "PATH",
    };

    private readonly Option<bool> _standIn = new("--stand-in")
    {
        Description = "Use the stand-in for the tenant proxies even if Envoy is available",
    };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_envoy);
        command.Options.Add(_standIn);
    }

    /// <summary>Resolves the options of a command line.</summary>
    /// <returns>The path of Envoy, null for the stand-in; and the reason for the stand-in.</returns>
    /// <exception cref="UsageException">Both options are set.</exception>
    public (string? Path, string Reason) Read(ParseResult parsed)
    {
        var named = parsed.GetValue(_envoy);
        if (parsed.GetValue(_standIn))
        {
            return named is null
                ? (null, "--stand-in")
                : throw new UsageException("--envoy and --stand-in are mutually exclusive; remove one of them.");
        }

        if (named is not null && string.IsNullOrWhiteSpace(named))
        {
            throw new UsageException("--envoy requires the path of a binary. Omit it to use envoy on PATH.");
        }

        return (named ?? EnvoyProgram.Find(), $"no envoy on PATH, and {EnvoyProgram.Variable} is not set; see --envoy");
    }
}

/// <summary>Integer options with a range.</summary>
internal static class WholeNumber
{
    /// <summary>Creates an integer option. An invalid value is reported with the valid range.</summary>
    public static Option<int> Option(string name, string description, string placeholder, int defaultValue, int minimum, int maximum) =>
        new(name)
        {
            Description = description,
            HelpName = placeholder,
            DefaultValueFactory = _ => defaultValue,
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (
                    int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                    && number >= minimum
                    && number <= maximum
                )
                {
                    return number;
                }

                result.AddError($"{name} must be {minimum} to {maximum}, not '{text}'.");
                return defaultValue;
            },
        };
}
