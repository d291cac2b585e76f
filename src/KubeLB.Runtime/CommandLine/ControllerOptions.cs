using System.CommandLine;
using KubeLB.Runtime.Logging;
using KubeLB.Runtime.Probes;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.CommandLine;

/// <summary>Makes command-line options in the form that controllers written in Go take them.</summary>
public static class ControllerOptions
{
    /// <summary>A text option.</summary>
    public static Option<string> Text(string name, string description, string defaultValue = "") =>
        new(name) { Description = description, DefaultValueFactory = _ => defaultValue };

    /// <summary>A switch: <c>--name</c>, <c>--name=true</c> or <c>--name=false</c>.</summary>
    public static Option<bool> Switch(string name, string description, bool defaultValue = false) =>
        new(name)
        {
            Description = description,
            DefaultValueFactory = _ => defaultValue,
            Arity = ArgumentArity.ZeroOrOne,
        };

    /// <summary>A whole number, not below zero.</summary>
    public static Option<int> Number(string name, string description, int defaultValue = 0)
    {
        var option = new Option<int>(name)
        {
            Description = description,
            HelpName = "number",
            DefaultValueFactory = _ => defaultValue,
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && (!int.TryParse(result.Tokens[0].Value, out var number) || number < 0))
            {
                result.AddError($"{name} takes a whole number of 0 or more, not \"{result.Tokens[0].Value}\".");
            }
        });
        return option;
    }

    /// <summary>A text option that takes one of a few values.</summary>
    public static Option<string> OneOf(string name, string description, string defaultValue, params string[] values)
    {
        var option = Text(name, description, defaultValue);
        option.AcceptOnlyFromAmong(values);
        return option;
    }

    /// <summary>An address to listen on: <c>:PORT</c>, <c>IP:PORT</c>, <c>[IPv6]:PORT</c>; empty or <c>0</c> for none.</summary>
    public static Option<string> Address(string name, string description, string defaultValue)
    {
        var option = Text(name, description, defaultValue);
        option.Validators.Add(result =>
        {
            try
            {
                ListenAddress.Parse(result.Tokens.Count > 0 ? result.Tokens[0].Value : null, loopbackByDefault: false);
            }
            catch (FormatException e)
            {
                result.AddError($"{name}: {e.Message}");
            }
        });
        return option;
    }

    /// <summary><c>--zap-log-level</c>.</summary>
    public static Option<LogLevel> LogLevel() =>
        new("--zap-log-level")
        {
            Description = "Lowest level that is logged: debug, info, error, or a number (0 is info, 1 debug, 2 and more everything)",
            HelpName = "level",
            DefaultValueFactory = _ => Microsoft.Extensions.Logging.LogLevel.Information,
            CustomParser = result =>
            {
                try
                {
                    return LogLevels.Parse(result.Tokens[0].Value);
                }
                catch (FormatException e)
                {
                    result.AddError(e.Message);
                    return Microsoft.Extensions.Logging.LogLevel.Information;
                }
            },
        };
}
