using KubeLB.Api.Naming;

namespace KubeLB.Api.Tests.Naming;

/// <summary>Expected hashes were computed with sha256sum.</summary>
public sealed class NodePortServiceNamesTests
{
    [Fact]
    public void Name_of_the_contract_is_preferred_to_one_with_hash() =>
        NodePortServiceNames.Candidates("web").Should().Equal("web-nodeport", "web-4b5e-nodeport");

    [Fact]
    public void Service_of_54_characters_has_the_name_of_the_contract() =>
        NodePortServiceNames.Candidates(Ss(54)).Should().Equal($"{Ss(54)}-nodeport", $"{Ss(49)}-bcc3-nodeport");

    [Theory]
    [InlineData(55, "18c5")]
    [InlineData(63, "60ed")]
    public void Service_of_55_characters_has_only_the_name_with_hash(int length, string hash) =>
        NodePortServiceNames.Candidates(Ss(length)).Should().Equal($"{Ss(49)}-{hash}-nodeport");

    [Fact]
    public void Dash_at_the_end_is_trimmed() =>
        NodePortServiceNames.Candidates(Ss(48) + "-tttttttttt").Should().Equal($"{Ss(48)}-7b14-nodeport");

    [Fact]
    public void Every_candidate_is_a_valid_Service_name()
    {
        for (var length = 1; length <= 63; length++)
        {
            NodePortServiceNames.Candidates(Ss(length)).Should().OnlyContain(name => name.Length <= 63).And.OnlyHaveUniqueItems();
        }
    }

    private static string Ss(int count) => new('s', count);
}
