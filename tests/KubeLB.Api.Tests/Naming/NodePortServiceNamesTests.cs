using KubeLB.Api.Naming;

namespace KubeLB.Api.Tests.Naming;

/// <summary>Expected hashes were computed with sha256sum.</summary>
public sealed class NodePortServiceNamesTests
{
    [Fact]
    public void The_contracts_name_comes_first_and_one_with_a_hash_second() =>
        NodePortServiceNames.Candidates("web").Should().Equal("web-nodeport", "web-4b5e-nodeport");

    [Fact]
    public void A_service_of_54_characters_still_has_the_contracts_name() =>
        NodePortServiceNames.Candidates(Ss(54)).Should().Equal($"{Ss(54)}-nodeport", $"{Ss(49)}-bcc3-nodeport");

    [Theory]
    [InlineData(55, "18c5")]
    [InlineData(63, "60ed")]
    public void A_service_of_55_characters_or_more_only_has_the_name_with_a_hash(int length, string hash) =>
        NodePortServiceNames.Candidates(Ss(length)).Should().Equal($"{Ss(49)}-{hash}-nodeport");

    [Fact]
    public void A_dash_at_the_cut_is_trimmed() =>
        NodePortServiceNames.Candidates(Ss(48) + "-tttttttttt").Should().Equal($"{Ss(48)}-7b14-nodeport");

    [Fact]
    public void Every_candidate_fits_a_services_name()
    {
        for (var length = 1; length <= 63; length++)
        {
            NodePortServiceNames.Candidates(Ss(length)).Should().OnlyContain(name => name.Length <= 63).And.OnlyHaveUniqueItems();
        }
    }

    private static string Ss(int count) => new('s', count);
}
