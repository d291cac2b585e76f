using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using KubeLB.Api.Messages;
using Spectre.Console;
using YamlDotNet.Serialization;

namespace KubeLB.Cli.Rendering;

/// <summary>Prints results: colours on a terminal only, JSON and YAML with the same fields.</summary>
internal static class CommandOutput
{
    /// <summary>The formats of <c>--output</c> beside the one for people.</summary>
    public const string Json = "json";

    /// <summary>YAML.</summary>
    public const string Yaml = "yaml";

    private const int RedirectedWidth = 32_768;

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>A console that wraps lines on a terminal only.</summary>
    public static IAnsiConsole Console(TextWriter output)
    {
        var isTerminal = output == System.Console.Out && !System.Console.IsOutputRedirected;
        var console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Out = new AnsiConsoleOutput(output),
                Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
                ColorSystem = isTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            }
        );
        if (!isTerminal)
        {
            // Lines stay whole for grep.
            console.Profile.Width = RedirectedWidth;
        }

        return console;
    }

    /// <summary>Text of an object as markup: tenants must not be able to control the terminal of an administrator.</summary>
    public static string Text(string text) => Markup.Escape(MessageText.Escape(text));

    /// <summary>A value in <see cref="Json"/> or <see cref="Yaml"/>.</summary>
    public static string Serialize<T>(T value, string format)
    {
        var json = JsonSerializer.Serialize(value, Options);
        return format == Json
            // Characters that control a terminal occur in texts only, where their escape sequences are JSON.
            ? MessageText.Message(json, int.MaxValue) + Environment.NewLine
            : new SerializerBuilder().Build().Serialize(Plain(JsonSerializer.Deserialize<JsonElement>(json))!);
    }

    /// <summary>A duration as kubectl prints it.</summary>
    public static string Age(TimeSpan age) =>
        age.TotalDays >= 2 ? $"{(int)age.TotalDays}d"
        : age.TotalHours >= 2 ? $"{(int)age.TotalHours}h"
        : age.TotalMinutes >= 2 ? $"{(int)age.TotalMinutes}m"
        : $"{Math.Max(0, (int)age.TotalSeconds)}s";

    private static object? Plain(JsonElement json) =>
        json.ValueKind switch
        {
            JsonValueKind.Object => json.EnumerateObject().ToDictionary(p => p.Name, p => Plain(p.Value), StringComparer.Ordinal),
            JsonValueKind.Array => json.EnumerateArray().Select(Plain).ToList(),
            // YamlDotNet writes control characters as they are.
            JsonValueKind.String => MessageText.Message(json.GetString()!, int.MaxValue),
            JsonValueKind.Number => json.GetDouble(),
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => null,
        };
}
