using System.Reflection;
using System.Text.RegularExpressions;
using KubeLB.Api.Messages;
using KubeLB.Ccm.Hosting;
using KubeLB.Charts.Tests.Support;
using KubeLB.Manager.Hosting;
using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests.Reference;

/// <summary>
/// <c>docs/reference/messages.md</c> lists every text that a condition or an Event of KubeLB carries; it is written with
/// <c>KUBELB_UPDATE_GOLDEN=1</c> from the methods and constants marked <see cref="ReportedMessageAttribute"/>. The texts keep to the rules.
/// </summary>
public sealed partial class MessageReferenceTests
{
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
        var page = new ReferencePage("KubeLB.Charts.Tests", "docs/reference/messages.md")
            .Title("Conditions, Events and messages", "the texts marked `[ReportedMessage]` in the source")
            .Paragraph(
                """
                What KubeLB reports in conditions and Events: the conditions of each kind, and each message with its cause and remedy. `<…>`
                stands for a value. Texts of Envoy Gateway and of API servers are copied and are not listed. Without a remedy, no action is
                required, or the message states it. `kubectl describe` shows the conditions and Events of an object.
                """
            );
        foreach (var reader in Messages.GroupBy(m => m.Mark.Reader).OrderBy(g => g.Key))
        {
            page.Line()
                .Line($"**{(reader.Key == MessageReader.Tenant ? "In the tenant's cluster" : "In the management cluster")}**:")
                .Line($"{string.Join(", ", Kinds(reader).Select(k => $"[{k.Key}](#{Anchor(Heading(reader.Key, k.Key))})"))}.");
        }

        page.Heading(2, "Conditions")
            .Line("The reasons are those of the messages below.")
            .Line()
            .Table(["kind", "condition", "meaning", "reasons by status"], Conditions().Concat(OtherConditions()));
        foreach (var reader in Messages.GroupBy(m => m.Mark.Reader).OrderBy(g => g.Key))
        {
            page.Line().Line($"## {(reader.Key == MessageReader.Tenant ? "In the tenant's cluster" : "In the management cluster")}");
            foreach (var kind in Kinds(reader))
            {
                page.Heading(3, Heading(reader.Key, kind.Key))
                    .Table(["reason", "carried by", "message", "cause", "remedy"], kind.Select(Row));
            }
        }

        page.Check();
    }

    [Fact]
    public void Condition_types_have_a_meaning() =>
        Conditions().Where(row => row[2].Length == 0).Select(row => $"{row[0]} {row[1]}").Should().BeEmpty();

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
        foreach (var member in assembly.GetTypes().SelectMany(t => t.GetMembers(Static)))
        {
            foreach (var mark in member.GetCustomAttributes<ReportedMessageAttribute>())
            {
                var cause = XmlDocumentation.SummaryOf(member);
                foreach (var text in Texts(member).Distinct())
                {
                    yield return new Message(assembly.GetName().Name!, $"{member.DeclaringType!.Name}.{member.Name}", mark, text, cause);
                }
            }
        }
    }

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

    private static IEnumerable<IGrouping<string, Message>> Kinds(IEnumerable<Message> messages) =>
        messages
            .OrderBy(m => m.Mark.On, StringComparer.Ordinal)
            .ThenBy(m => m.Mark.Reason, StringComparer.Ordinal)
            .ThenBy(m => m.Name, StringComparer.Ordinal)
            .ThenBy(m => m.Text, StringComparer.Ordinal)
            .GroupBy(m => m.Mark.On);

    // Unique on the page.
    private static string Heading(MessageReader reader, string kinds) =>
        reader == MessageReader.Tenant ? kinds : $"{kinds} (administrator)";

    private static string Anchor(string heading) => NotOfAnchors().Replace(heading.ToLowerInvariant(), "").Replace(' ', '-');

    private static string[] Row(Message message)
    {
        var carriers = new[]
        {
            message.Mark.Condition is { } condition ? $"`{condition}`" : null,
            message.Mark.Event is { } type ? $"{type} Event" : null,
        };
        return
        [
            $"`{message.Mark.Reason}`",
            string.Join(", ", carriers.OfType<string>()),
            ReferencePage.Cell(message.Text),
            ReferencePage.Cell(message.Cause),
            ReferencePage.Cell(message.Mark.Remedy ?? ""),
        ];
    }

    // Kinds, type, meaning, and the reasons by status; kinds with the same conditions have one row. Tenants' kinds are first.
    private static IEnumerable<string[]> Conditions() =>
        Messages
            .Where(m => m.Mark.Condition is not null)
            .SelectMany(m => m.Mark.On.Split(", ").Select(kind => (Kind: kind, Condition: m.Mark.Condition!.Split('='), m.Mark)))
            .GroupBy(m => (m.Kind, Type: m.Condition[0]))
            .OrderBy(g => g.Max(m => m.Mark.Reader))
            .ThenBy(g => g.Key.Kind, StringComparer.Ordinal)
            .ThenBy(g => g.Key.Type, StringComparer.Ordinal)
            .Select(g =>
                (
                    g.Key.Kind,
                    g.Key.Type,
                    Meaning: Meaning(g.Key.Kind, g.Key.Type),
                    Reasons: Reasons(g.Select(m => (m.Condition[1], m.Mark.Reason)))
                )
            )
            .GroupBy(c => (c.Type, c.Meaning, c.Reasons))
            .Select(g =>
                (string[])[string.Join(", ", g.Select(c => c.Kind)), $"`{g.Key.Type}`", ReferencePage.Cell(g.Key.Meaning), g.Key.Reasons]
            );

    // Conditions that carry no message of their own.
    private static IEnumerable<string[]> OtherConditions() =>
        Types
            .Where(t => t.Meaning.Length > 0 && t.Class.Name.EndsWith("Conditions", StringComparison.Ordinal))
            .Where(t =>
                !Messages.Any(m =>
                    m.Mark.Condition?.Split('=')[0] == t.Value && m.Mark.On.Split(", ").Any(kind => KindsOf(t.Class).Contains(kind))
                )
            )
            .Select(t =>
                (string[])
                    [
                        string.Join(", ", t.IsOfRoutes ? KindsOf(t.Class)[1..] : KindsOf(t.Class)),
                        $"`{t.Value}`",
                        ReferencePage.Cell(t.Meaning),
                        "",
                    ]
            );

    private static string[] KindsOf(Type conditions) =>
        conditions.Name switch
        {
            "GatewayConditions" => ["Gateway", "HTTPRoute", "GRPCRoute"],
            "SettingsConditions" or "GatewayClassConditions" => ["Config", "Tenant"],
            var name when name.StartsWith("Tenant", StringComparison.Ordinal) => ["Tenant"],
            var name => [name[..^"Conditions".Length]],
        };

    private static string Reasons(IEnumerable<(string Status, string Reason)> reasons) =>
        string.Join(
            "; ",
            reasons
                .GroupBy(r => r.Status)
                .OrderBy(s => s.Key, StringComparer.Ordinal)
                .Select(s =>
                    $"{s.Key}: {string.Join(", ", s.Select(r => r.Reason).Distinct().Order(StringComparer.Ordinal).Select(r => $"`{r}`"))}"
                )
        );

    // The doc comment of the constant of the type: "Type: …", "Type, on the Config: …", "Type (KubeLB's own): …".
    private static string Meaning(string kind, string type) =>
        Types
            .Where(t => t.Value == type && t.Meaning.Length > 0)
            .OrderByDescending(t => t.Class.Name.StartsWith(ConditionsOf(kind), StringComparison.Ordinal))
            .Select(t => t.Meaning)
            .FirstOrDefault("");

    private static string ConditionsOf(string kind) =>
        kind switch
        {
            "Gateway" or "GatewayClass" or "HTTPRoute" or "GRPCRoute" => nameof(Api.GatewayApi.GatewayConditions),
            "Config" => "Settings",
            _ => kind,
        };

    private static readonly IReadOnlyList<(Type Class, string Value, string Meaning, bool IsOfRoutes)> Types =
    [
        .. Assemblies
            .SelectMany(a => a.GetTypes())
            .SelectMany(t => t.GetFields(Static))
            .Where(f => f.IsLiteral && f.FieldType == typeof(string))
            .OrderBy(f => f.DeclaringType!.FullName, StringComparer.Ordinal)
            .ThenBy(f => f.MetadataToken)
            .Select(f =>
                (
                    f.DeclaringType!,
                    (string)f.GetRawConstantValue()!,
                    TypeSummary().Match(XmlDocumentation.SummaryOf(f)) is { Success: true } match
                        ? char.ToUpperInvariant(match.Groups[1].Value[0]) + match.Groups[1].Value[1..]
                        : "",
                    XmlDocumentation.SummaryOf(f).StartsWith("Type (of a route", StringComparison.Ordinal)
                )
            ),
    ];

    // The left column of the table of terms in docs/contributing/language.md.
    [GeneratedRegex(
        @"(?i)\b(comes? to|told|nobody|somebody|whoever|anew|as it was|mended|(do|does) not count|is no\b"
            + @"|in the way|goes on|going on|keeps what"
            + @"|look(s|ed)? at|takes? over|lets? through|its turn|patience|(look|ask)s? again"
            + @"|places|carried|leaving|twins?|refus(e|es|ed|al)"
            + @"|in force|troubles?|on the way|knows?|wants?)\b"
    )]
    private static partial Regex Dialect();

    [GeneratedRegex(@"^Type[^:]*: (.*?)( Also (the|its) reason .*)?$")]
    private static partial Regex TypeSummary();

    [GeneratedRegex("[^a-z0-9 -]")]
    private static partial Regex NotOfAnchors();

    [GeneratedRegex("[A-Z]")]
    private static partial Regex Capitals();

    private sealed record Message(string Assembly, string Name, ReportedMessageAttribute Mark, string Text, string Cause);
}
