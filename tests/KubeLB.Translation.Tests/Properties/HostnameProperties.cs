using CsCheck;
using KubeLB.Translation.Matching;

namespace KubeLB.Translation.Tests.Properties;

public sealed class HostnameProperties
{
    private static readonly string[] PatternLabels = ["a", "b", "A", "com", "ab"];
    private static readonly string[] Labels = ["a", "B", "com", "AB"];

    /// <summary>Every host name of one to four labels.</summary>
    private static readonly string[] Universe = [.. Enumerable.Range(1, 4).SelectMany(Names)];

    private static readonly Gen<string> Patterns = Gen.Select(Gen.Bool, Gen.Int[0, 4].Select(i => PatternLabels[i]).Array[1, 3])
        .Select((wildcard, labels) => (wildcard ? "*." : "") + string.Join('.', labels));

    /// <summary>Two host names intersect if some name of the universe is one that both match.</summary>
    [Fact]
    public void Intersecting_hostnames_have_a_common_name() =>
        Gen.Select(Patterns, Patterns)
            .Sample(
                (left, right) =>
                {
                    var expected = Universe
                        .Append(left)
                        .Append(right)
                        .Any(name => !name.StartsWith('*') && Matches(left, name) && Matches(right, name));

                    Hostnames.Intersect(left, [right]).Should().Be(expected, "of {0} and {1}", left, right);
                }
            );

    [Fact]
    public void Intersection_is_symmetric() =>
        Gen.Select(Patterns, Patterns)
            .Sample(
                (left, right) =>
                    Hostnames.Intersect(left, [right]).Should().Be(Hostnames.Intersect(right, [left]), "of {0} and {1}", left, right)
            );

    [Fact]
    public void List_intersects_if_one_hostname_does() =>
        Gen.Select(Patterns, Patterns.Array[1, 4])
            .Sample(
                (listener, route) =>
                    Hostnames.Intersect(listener, route).Should().Be(route.Any(hostname => Hostnames.Intersect(listener, [hostname])))
            );

    [Fact]
    public void Intersection_of_any_text_does_not_throw() =>
        Gen.Select(Gen.String, Gen.String.Array[0, 3])
            .Sample(
                (listener, route) =>
                {
                    var expected = listener.Length == 0 || route.Length == 0 || route.Contains(listener, StringComparer.OrdinalIgnoreCase);

                    // Random text is next to never a wildcard; what is equal must be found, whatever it is.
                    (Hostnames.Intersect(listener, route) || !expected)
                        .Should()
                        .BeTrue();
                }
            );

    private static bool Matches(string pattern, string name)
    {
        var wanted = pattern.ToUpperInvariant().Split('.');
        var labels = name.ToUpperInvariant().Split('.');
        return wanted[0] == "*"
            ? labels.Length >= wanted.Length && labels.TakeLast(wanted.Length - 1).SequenceEqual(wanted.Skip(1))
            : labels.SequenceEqual(wanted);
    }

    private static IEnumerable<string> Names(int labels) =>
        labels == 1 ? Labels : Labels.SelectMany(first => Names(labels - 1).Select(rest => $"{first}.{rest}"));
}
