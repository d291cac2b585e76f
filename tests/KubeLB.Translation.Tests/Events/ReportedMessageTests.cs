using System.Reflection;
using KubeLB.Api.Messages;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.Tests.Events;

/// <summary>The texts of conditions and Events are short and free of objects that a tenant cannot see.</summary>
public sealed class ReportedMessageTests
{
    private const int MaxLength = 200;

    public static TheoryData<string, string> Texts
    {
        get
        {
            var texts = new TheoryData<string, string>();
            foreach (var member in Members())
            {
                texts.Add($"{member.DeclaringType!.Name}.{member.Name}", TextOf(member));
            }

            return texts;
        }
    }

    [Theory]
    [MemberData(nameof(Texts))]
    public void Message_has_at_most_200_characters(string name, string text) => text.Length.Should().BeLessThanOrEqualTo(MaxLength, name);

    private static IEnumerable<MemberInfo> Members() =>
        typeof(Rejection)
            .Assembly.GetTypes()
            .Where(t => t.Namespace == typeof(Rejection).Namespace)
            .SelectMany(t => t.GetMembers(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Where(m => m.GetCustomAttributes<ReportedMessageAttribute>().Any());

    private static string TextOf(MemberInfo member) =>
        member is MethodInfo method
            ? (string)method.Invoke(null, [.. method.GetParameters().Select(Sample)])!
            : (string)((FieldInfo)member).GetRawConstantValue()!;

    private static object Sample(ParameterInfo parameter) =>
        parameter.ParameterType switch
        {
            var t when t == typeof(string) => $"<{parameter.Name}>",
            var t when t == typeof(int) => 3,
            var t when t == typeof(long) => 3L,
            var t when t == typeof(DateTimeOffset) => DateTimeOffset.UnixEpoch,
            _ => new[] { "<a>", "<b>" },
        };
}
