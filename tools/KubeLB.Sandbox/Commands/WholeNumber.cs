using System.CommandLine;
using System.Globalization;

namespace KubeLB.Sandbox.Commands;

/// <summary>Options that take a whole number within bounds.</summary>
internal static class WholeNumber
{
    /// <summary>Makes such an option; whatever is not such a number is one sentence that says what is.</summary>
    public static Option<int> Option(string name, string description, string placeholder, int defaultValue, int least, int most) =>
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
                    && number >= least
                    && number <= most
                )
                {
                    return number;
                }

                result.AddError($"{name} must be {least} to {most}, not '{text}'.");
                return defaultValue;
            },
        };
}
