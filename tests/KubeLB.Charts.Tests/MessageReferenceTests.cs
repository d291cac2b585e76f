using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using KubeLB.Api.Messages;
using KubeLB.Ccm.Hosting;
using KubeLB.Manager.Hosting;
using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests;

/// <summary>
/// <c>docs/reference/messages.md</c> lists every text that a condition or an Event of KubeLB carries; it is written with
/// <c>KUBELB_UPDATE_GOLDEN=1</c> from the methods and constants marked <see cref="ReportedMessageAttribute"/>. The texts keep to the rules.
/// </summary>
public sealed partial class MessageReferenceTests
{
    private const string Page = "docs/reference/messages.md";

    private const BindingFlags Static = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private static readonly Assembly[] Assemblies =
    [
        typeof(ReportedMessageAttribute).Assembly,
        typeof(Translation.Routes.RouteTranslator).Assembly,
        typeof(CcmHost).Assembly,
        typeof(ManagerHost).Assembly,
    ];

    private static readonly IReadOnlyList<Message> Messages = [.. Assemblies.SelectMany(Read)];

    private static readonly IReadOnlySet<string> Constants = Assemblies
        .SelectMany(a => a.GetTypes())
        .SelectMany(t => t.GetFields(Static))
        .Where(f => f.IsLiteral && f.FieldType == typeof(string))
        .Select(f => (string)f.GetRawConstantValue()!)
        .ToHashSet(StringComparer.Ordinal);

    public static TheoryData<string> Names => [.. Messages.Select(m => m.Name).Distinct()];

    [Fact]
    public void Page_lists_every_message()
    {
        var file = Path.Combine(SourceTree.Root, Page);
        var text = Render();
        if (Environment.GetEnvironmentVariable("KUBELB_UPDATE_GOLDEN") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
            return;
        }

        File.ReadAllText(file).Should().Be(text, "write it with: KUBELB_UPDATE_GOLDEN=1 dotnet test tests/KubeLB.Charts.Tests");
    }

    [Fact]
    public void Messages_of_all_parts_are_marked() => Messages.Select(m => m.Assembly).Distinct().Should().HaveCountGreaterThanOrEqualTo(3);

    [Theory]
    [MemberData(nameof(Names))]
    public void Message_has_a_reason_in_camel_case_and_a_cause(string name)
    {
        foreach (var message in Of(name))
        {
            message.Mark.Reason.Should().MatchRegex("^([A-Z][a-z0-9]+|[A-Z]{2,5}(?=[A-Z]|$))+$");
            message.Cause.Should().MatchRegex(@"\w.*\.$", "the summary of {0} states the cause", name);
            (message.Mark.Condition ?? message.Mark.Event).Should().NotBeNull("a condition or an Event carries {0}", name);
            (message.Mark.Condition ?? "Accepted=True").Should().MatchRegex("^([a-z0-9.]+/)?[A-Z][A-Za-z]*=(True|False|Unknown)$");
            (message.Mark is { Reason: "Pending", Condition: "Accepted=False" }).Should().BeFalse("Pending is not a definite rejection");
            (message.Mark.Event ?? "Normal").Should().BeOneOf("Normal", "Warning");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Reason_of_a_message_is_a_constant(string name) =>
        Of(name).Select(m => m.Mark.Reason).Should().BeSubsetOf(Constants, "code and marks share the reason");

    [Theory]
    [MemberData(nameof(Names))]
    public void Message_is_short_and_plain(string name)
    {
        foreach (var message in Of(name))
        {
            message.Text.Length.Should().BeLessThanOrEqualTo(200, message.Text);
            message.Text.Should().NotMatchRegex(Dialect().ToString(), "docs/contributing/language.md names the terms");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Message_to_tenants_names_no_object_of_the_management_cluster(string name)
    {
        foreach (var message in Of(name).Where(m => m.Mark.Reader == MessageReader.Tenant))
        {
            message.Text.Should().NotMatchRegex("tenant-|unresolved-|<tenant namespace>|<generated|Config default");
        }
    }

    private static IEnumerable<Message> Of(string name) => Messages.Where(m => m.Name == name);

    private static IEnumerable<Message> Read(Assembly assembly)
    {
        var documentation = XDocument
            .Load(Path.ChangeExtension(assembly.Location, ".xml"))
            .Descendants("member")
            .ToDictionary(m => (string)m.Attribute("name")!, StringComparer.Ordinal);
        foreach (var member in assembly.GetTypes().SelectMany(t => t.GetMembers(Static)))
        {
            foreach (var mark in member.GetCustomAttributes<ReportedMessageAttribute>())
            {
                var cause = documentation.TryGetValue(IdOf(member), out var entry)
                    ? Spaces().Replace(Plain(entry.Element("summary")!), " ").Trim()
                    : "";
                foreach (var text in Texts(member).Distinct())
                {
                    yield return new Message(assembly.GetName().Name!, $"{member.DeclaringType!.Name}.{member.Name}", mark, text, cause);
                }
            }
        }
    }

    // The name of a member in the documentation file: M:Namespace.Type.Method(System.String,System.Int32).
    private static string IdOf(MemberInfo member)
    {
        var name = $"{NameOf(member.DeclaringType!)}.{member.Name}";
        if (member is not MethodInfo method)
        {
            return $"F:{name}";
        }

        var parameters = method.GetParameters();
        return parameters.Length == 0 ? $"M:{name}" : $"M:{name}({string.Join(',', parameters.Select(p => NameOf(p.ParameterType)))})";
    }

    private static string NameOf(Type type) =>
        type.IsArray ? $"{NameOf(type.GetElementType()!)}[]"
        : type.IsConstructedGenericType
            ? $"{NameOf(type.GetGenericTypeDefinition()).Split('`')[0]}{{{string.Join(',', type.GenericTypeArguments.Select(NameOf))}}}"
        : type.FullName!.Replace('+', '.');

    private static string Plain(XElement element) =>
        string.Concat(
            element
                .Nodes()
                .Select(n =>
                    n switch
                    {
                        XText text => text.Value,
                        XElement { Name.LocalName: "see" or "paramref" } reference => (
                            (string?)reference.Attribute("cref") ?? (string?)reference.Attribute("name") ?? ""
                        ).Split('.', ':')[^1],
                        XElement other => Plain(other),
                        _ => "",
                    }
                )
        );

    // Every branch of a text: flags both ways, what may be missing with and without.
    private static IEnumerable<string> Texts(MemberInfo member)
    {
        if (member is FieldInfo field)
        {
            return [(string)field.GetValue(null)!];
        }

        var method = (MethodInfo)member;
        var nullability = new NullabilityInfoContext();
        IEnumerable<object?[]> rows =
        [
            [],
        ];
        foreach (var parameter in method.GetParameters())
        {
            var samples = Samples(parameter, nullability).ToList();
            rows = rows.SelectMany(row => samples.Select(sample => (object?[])[.. row, sample])).ToList();
        }

        return rows.Select(row => (string)method.Invoke(null, row)!);
    }

    private static IEnumerable<object?> Samples(ParameterInfo parameter, NullabilityInfoContext nullability)
    {
        var words = $"<{Capitals().Replace(parameter.Name!, m => " " + m.Value.ToLowerInvariant())}>";
        var type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
        object sample =
            type == typeof(string) ? words
            : type == typeof(int) ? 3
            : type == typeof(long) ? 3L
            : type == typeof(TimeSpan) ? TimeSpan.FromSeconds(30)
            : type == typeof(DateTimeOffset) ? new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero)
            : type == typeof(bool) ? true
            : type.IsAssignableFrom(typeof(string[])) ? new[] { words, words }
            : type.IsEnum ? Enum.GetValues(type).GetValue(0)!
            : throw new InvalidOperationException(
                $"{parameter.Member.DeclaringType}.{parameter.Member.Name}: {type} is not a plain value."
            );
        yield return sample;
        if (sample is bool)
        {
            yield return false;
        }
        else if (nullability.Create(parameter).WriteState == NullabilityState.Nullable)
        {
            yield return null;
        }
    }

    private static string Render()
    {
        var page = new StringBuilder(
            """
            # Messages

            What KubeLB reports in conditions and Events, with the cause and what to do. `<…>` stands for a value. Texts of Envoy Gateway
            and of API servers are copied and are not listed. This page is generated from the source:
            `KUBELB_UPDATE_GOLDEN=1 dotnet test tests/KubeLB.Charts.Tests`.

            """
        );
        foreach (var reader in Messages.GroupBy(m => m.Mark.Reader).OrderBy(g => g.Key))
        {
            page.Append(
                CultureInfo.InvariantCulture,
                $"\n## {(reader.Key == MessageReader.Tenant ? "In the tenant's cluster" : "In the management cluster")}\n"
            );
            foreach (var kind in reader.GroupBy(m => m.Mark.On).OrderBy(g => g.Key, StringComparer.Ordinal))
            {
                page.Append(
                    CultureInfo.InvariantCulture,
                    $"\n### {kind.Key}\n\n| reason | carried by | message | cause | remedy |\n|---|---|---|---|---|\n"
                );
                foreach (
                    var message in kind.OrderBy(m => m.Mark.Reason, StringComparer.Ordinal)
                        .ThenBy(m => m.Name, StringComparer.Ordinal)
                        .ThenBy(m => m.Text, StringComparer.Ordinal)
                )
                {
                    var carriers = new[]
                    {
                        message.Mark.Condition is { } condition ? $"`{condition}`" : null,
                        message.Mark.Event is { } type ? $"{type} Event" : null,
                    };
                    page.Append(
                        CultureInfo.InvariantCulture,
                        $"| `{message.Mark.Reason}` | {string.Join(", ", carriers.OfType<string>())} "
                            + $"| {Cell(message.Text)} | {Cell(message.Cause)} "
                            + $"| {Cell(message.Mark.Remedy ?? "")} |\n"
                    );
                }
            }
        }

        return page.ToString();
    }

    private static string Cell(string text) =>
        text.Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace('\n', ' ');

    // The left column of the table of terms in docs/contributing/language.md.
    [GeneratedRegex(
        @"(?i)\b(comes? to|told|nobody|somebody|whoever|anew|as it was|mended|(do|does) not count|is no\b"
            + @"|in the way|goes on|going on|keeps what"
            + @"|look(s|ed)? at|takes? over|lets? through|its turn|patience|(look|ask)s? again"
            + @"|places|carried|leaving|twins?|refus(e|es|ed|al)"
            + @"|in force|troubles?|on the way|knows?|wants?)\b"
    )]
    private static partial Regex Dialect();

    [GeneratedRegex("[A-Z]")]
    private static partial Regex Capitals();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();

    private sealed record Message(string Assembly, string Name, ReportedMessageAttribute Mark, string Text, string Cause);
}
