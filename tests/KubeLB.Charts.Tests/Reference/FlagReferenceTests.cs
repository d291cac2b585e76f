using System.Collections;
using System.CommandLine;
using System.CommandLine.Help;
using System.Globalization;
using System.Text.RegularExpressions;
using KubeLB.Ccm.Hosting;
using KubeLB.Cli;
using KubeLB.Cli.Commands;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Connections;
using KubeLB.Runtime.Hosting;
using KubeLB.Sandbox.Commands;
using KubeLB.Sandbox.Proxies.Processes;
using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests.Reference;

/// <summary>
/// <c>docs/reference/flags.md</c> lists the commands, arguments, flags and environment variables of every executable; it is written with
/// <c>KUBELB_UPDATE_GOLDEN=1</c> from the definitions of their command lines.
/// </summary>
public sealed partial class FlagReferenceTests
{
    private static readonly (string Name, Command Command)[] Executables =
    [
        ("kubelb", CliProgram.Build()),
        ("kubelb-manager", new ManagerCommand().Build()),
        ("kubelb-ccm", new CcmCommand().Build()),
        ("kubelb-sandbox", SandboxProgram.Build()),
    ];

    // The expression in the source that reads a variable.
    private static readonly Dictionary<string, (string Variable, string Executables, string Meaning)> Variables = new(
        StringComparer.Ordinal
    )
    {
        ["ConnectionOptions.ManagementVariable"] = (
            ConnectionOptions.ManagementVariable,
            "`kubelb`",
            "Default of `--management-kubeconfig`."
        ),
        ["Kubeconfig.EnvironmentVariable"] = (
            Kubeconfig.EnvironmentVariable,
            "`kubelb`; `kubelb-manager` and `kubelb-ccm` outside of a cluster",
            "Kubeconfig files, separated as in `PATH`, if `--kubeconfig` names none; `~/.kube/config` by default. Files are not merged: "
                + "the first one with the context is used."
        ),
        ["\"NAMESPACE\""] = (
            "NAMESPACE",
            "`kubelb-ccm`",
            "Default of `--leader-election-namespace`. The chart sets it to that of the pod."
        ),
        ["\"KUBERNETES_SERVICE_HOST\""] = (
            "KUBERNETES_SERVICE_HOST",
            "`kubelb-manager`, `kubelb-ccm`",
            "Set by Kubernetes in each pod: the log is then in JSON, and tenants may not use this address as a node address."
        ),
        ["TracingOptions.TracesHeaders"] = (
            TracingOptions.TracesHeaders,
            "`kubelb-manager`, `kubelb-ccm`",
            "Headers of the exported traces, for example credentials; `OTEL_EXPORTER_OTLP_HEADERS` if it is not set. "
                + "The protocol, timeouts and certificates are read from the other variables of OpenTelemetry (`OTEL_EXPORTER_OTLP_…`)."
        ),
        ["EnvoyProgram.Variable"] = (EnvoyProgram.Variable, "`kubelb-sandbox`", "Default of `--envoy`."),
        ["\"PATH\""] = (
            "PATH",
            "`kubelb-sandbox`",
            "Folders in which `envoy` is searched, if neither `--envoy` nor `KUBELB_ENVOY` is set."
        ),
    };

    [Fact]
    public void Page_lists_every_flag()
    {
        var page = new ReferencePage("KubeLB.Charts.Tests", "docs/reference/flags.md")
            .Title("Commands, flags and environment variables", "the definitions of the command lines")
            .Paragraph(
                """
                Each command has `--help`, each executable `--version`. A flag is `--flag value` or `--flag=value`; `--flag` alone
                means true. `kubelb-manager` and `kubelb-ccm` accept one dash, too. The charts set the flags of these two from their
                [values](values.md). [Exit codes](exit-codes.md) are the same for all commands of an executable.
                """
            );
        foreach (var (name, command) in Executables)
        {
            Add(page, name, command, level: 2);
        }

        page.Heading(2, "Environment variables")
            .Table(
                ["variable", "read by", "meaning"],
                Variables.Values.Select(v => (string[])[ReferencePage.Code(v.Variable), v.Executables, v.Meaning])
            );
        page.Check();
    }

    [Fact]
    public void Every_environment_variable_that_the_source_reads_is_listed() =>
        new[] { "src", "tools" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(SourceTree.Root, folder), "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .SelectMany(file => Reads().Matches(File.ReadAllText(file)).Select(m => m.Groups[1].Value))
            .Where(read => !Variables.Keys.Any(key => key == read || key.EndsWith($".{read}", StringComparison.Ordinal)))
            .Should()
            .BeEmpty("{0} lists the variables", nameof(Variables));

    [Fact]
    public void Every_command_and_flag_has_a_description()
    {
        foreach (var (_, root) in Executables)
        {
            foreach (var command in Commands(root))
            {
                command.Description.Should().NotBeNullOrWhiteSpace(command.Name);
                Flags(command).Where(o => string.IsNullOrWhiteSpace(o.Description)).Select(o => o.Name).Should().BeEmpty(command.Name);
                command.Arguments.Where(a => string.IsNullOrWhiteSpace(a.Description)).Select(a => a.Name).Should().BeEmpty(command.Name);
            }
        }
    }

    private static IEnumerable<Command> Commands(Command command) =>
        command.Subcommands.Where(c => !c.Hidden).SelectMany(Commands).Prepend(command);

    private static IEnumerable<Option> Flags(Command command) =>
        command.Options.Where(o => !o.Hidden && o is not HelpOption and not VersionOption);

    private static void Add(ReferencePage page, string path, Command command, int level)
    {
        var flags = Flags(command).ToList();
        var commands = command.Subcommands.Where(c => !c.Hidden).ToList();

        // A command that only groups others has no section.
        if (level == 2 || flags.Count > 0 || command.Arguments.Count > 0)
        {
            page.Heading(level, path).Line(Sentence(command.Description!));
            if (command.Arguments.Count > 0)
            {
                var arguments = string.Join(' ', command.Arguments.Select(a => a.HelpName ?? a.Name.ToUpperInvariant()));
                page.Line()
                    .Line($"`{path} {arguments}`")
                    .Line()
                    .Table(
                        ["argument", "description"],
                        command.Arguments.Select(a =>
                            (string[])
                                [ReferencePage.Code(a.HelpName ?? a.Name.ToUpperInvariant()), ReferencePage.Cell(Sentence(a.Description!))]
                        )
                    );
            }

            if (flags.Count > 0)
            {
                page.Line().Table(["flag", "value", "default", "description"], flags.Select(Row));
            }

            if (command.Options.OfType<HelpOption>().Select(o => o.Action).OfType<Examples>().SingleOrDefault() is { } examples)
            {
                page.Line().Line("```text").Line(Unindented(examples.Text)).Line("```");
            }
        }

        foreach (var inner in commands)
        {
            Add(page, $"{path} {inner.Name}", inner, 3);
        }
    }

    private static string[] Row(Option option)
    {
        var description = option.Description!;
        var @default = Default(option);
        if (DefaultInText().Match(description) is { Success: true } match)
        {
            (description, @default) = (description[..match.Index], match.Groups[1].Value);
        }

        return
        [
            string.Join(", ", option.Aliases.Prepend(option.Name).Select(ReferencePage.Code)),
            ReferencePage.Cell(Value(option)),
            @default,
            ReferencePage.Cell(Sentence(description)),
        ];
    }

    private static string Value(Option option) =>
        option.ValueType == typeof(bool) ? ""
        : option.HelpName is { } name ? name
        : option.ValueType == typeof(int) ? "number"
        : "text";

    private static string Default(Option option) =>
        !option.HasDefaultValue
            ? option.ValueType == typeof(bool)
                ? "`false`"
                : ""
            : option.GetDefaultValue() switch
            {
                bool value => value ? "`true`" : "`false`",
                string text => ReferencePage.Code(text),
                IFormattable number => ReferencePage.Code(number.ToString(null, CultureInfo.InvariantCulture)),
                IEnumerable or null => "",
                var other => throw new InvalidOperationException($"{option.Name}: {other}"),
            };

    private static string Sentence(string text) => text.EndsWith('.') ? text : text + ".";

    private static string Unindented(string text) =>
        string.Join('\n', text.Split('\n').Select(line => line.StartsWith("  ", StringComparison.Ordinal) ? line[2..] : line)).Trim();

    [GeneratedRegex(@"GetEnvironmentVariable\(\s*([^)\s]+)\s*\)")]
    private static partial Regex Reads();

    [GeneratedRegex(@" \[default: (.*)\]$")]
    private static partial Regex DefaultInText();
}
