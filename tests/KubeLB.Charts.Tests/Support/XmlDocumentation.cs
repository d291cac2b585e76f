using System.Collections.Concurrent;
using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace KubeLB.Charts.Tests.Support;

/// <summary>The doc comments of types and members, from the documentation files beside their assemblies.</summary>
internal static partial class XmlDocumentation
{
    private static readonly ConcurrentDictionary<Assembly, IReadOnlyDictionary<string, XElement>> Files = new();

    /// <summary>The summary of a member as plain text on one line; empty if it has none.</summary>
    public static string SummaryOf(MemberInfo member) => Summary(member, code => code);

    /// <summary>The same with code in backticks.</summary>
    public static string MarkdownOf(MemberInfo member) => Summary(member, code => $"`{code}`");

    private static string Summary(MemberInfo member, Func<string, string> code) =>
        Files.GetOrAdd(member.Module.Assembly, Read).GetValueOrDefault(IdOf(member))?.Element("summary") is { } summary
            ? Spaces().Replace(Plain(summary, code), " ").Trim()
            : "";

    private static IReadOnlyDictionary<string, XElement> Read(Assembly assembly) =>
        XDocument
            .Load(Path.ChangeExtension(assembly.Location, ".xml"))
            .Descendants("member")
            .ToDictionary(m => (string)m.Attribute("name")!, StringComparer.Ordinal);

    // The name of a member in the documentation file: M:Namespace.Type.Method(System.String,System.Int32).
    private static string IdOf(MemberInfo member)
    {
        if (member is Type type)
        {
            return $"T:{NameOf(type)}";
        }

        var name = $"{NameOf(member.DeclaringType!)}.{member.Name}";
        if (member is not MethodInfo method)
        {
            return $"{(member is PropertyInfo ? 'P' : 'F')}:{name}";
        }

        var parameters = method.GetParameters();
        return parameters.Length == 0 ? $"M:{name}" : $"M:{name}({string.Join(',', parameters.Select(p => NameOf(p.ParameterType)))})";
    }

    private static string NameOf(Type type) =>
        type.IsArray ? $"{NameOf(type.GetElementType()!)}[]"
        : type.IsConstructedGenericType
            ? $"{NameOf(type.GetGenericTypeDefinition()).Split('`')[0]}{{{string.Join(',', type.GenericTypeArguments.Select(NameOf))}}}"
        : type.FullName!.Replace('+', '.');

    private static string Plain(XElement element, Func<string, string> code) =>
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
                        XElement { Name.LocalName: "c" } text => code(text.Value),
                        XElement other => Plain(other, code),
                        _ => "",
                    }
                )
        );

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
