namespace KubeLB.Api.Tests;

/// <summary>Expected hashes were computed with sha256sum.</summary>
public sealed class LabelsTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(63)]
    public void Name_of_up_to_63_characters_is_unchanged(int length)
    {
        var name = new string('a', length);

        Labels.Value(name).Should().Be(name);
    }

    [Theory]
    [InlineData(64, "ffe0")]
    [InlineData(253, "3285")]
    public void Longer_name_is_truncated_with_its_hash(int length, string hash) =>
        Labels.Value(new string('a', length)).Should().Be($"{new string('a', 58)}-{hash}").And.HaveLength(63);

    [Theory]
    [InlineData(57, ".bbbbbbbbbb", "7332")]
    [InlineData(56, "-.bbbbbbbbbb", "df42")]
    public void Dots_and_dashes_at_the_end_are_trimmed(int length, string rest, string hash) =>
        Labels.Value(new string('a', length) + rest).Should().Be($"{new string('a', length)}-{hash}");
}
