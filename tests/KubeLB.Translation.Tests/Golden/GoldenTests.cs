using System.Text.Json.Nodes;
using KubeLB.Tests.Shared;

namespace KubeLB.Translation.Tests.Golden;

/// <summary>What translation does, by example: <c>testdata/ccm</c>, <c>testdata/manager</c>, and both in a chain.</summary>
public sealed class GoldenTests
{
    private static readonly GoldenFolder Ccm = new("KubeLB.Translation.Tests", "ccm", "ccm");
    private static readonly GoldenFolder Manager = new("KubeLB.Translation.Tests", "manager", "manager");

    // The CCM's golden output is the manager's golden input.
    private static readonly GoldenFolder Chain = new("KubeLB.Translation.Tests", "ccm", "chain", GoldenFolder.Out);

    public static TheoryData<string> CcmCases => [.. Ccm.Cases()];

    public static TheoryData<string> ManagerCases => [.. Manager.Cases()];

    [Theory]
    [MemberData(nameof(CcmCases))]
    public void CCM_output_is_the_golden_one(string name)
    {
        var output = new TenantSide(new CaseObjects(Ccm.Input(name))).Output().ToList();
        var routes = RoutesOf(output);
        Ccm.Check(name, Print(output));
        Chain.Check(name, Print(new ManagementSide(new CaseObjects(routes)) { OmitsStandardMetadata = true }.Output()));
    }

    [Theory]
    [MemberData(nameof(ManagerCases))]
    public void Manager_output_is_the_golden_one(string name) =>
        Manager.Check(name, Print(new ManagementSide(new CaseObjects(Manager.Input(name))) { OmitsStandardMetadata = true }.Output()));

    [Fact]
    public void Every_golden_output_has_an_input()
    {
        Ccm.CheckOrphans();
        Manager.CheckOrphans();
        Chain.CheckOrphans();
    }

    // Between the two the API server gives the Route a UID.
    private static string RoutesOf(IEnumerable<JsonObject> output) =>
        Yaml.Write(output.Where(d => d["kind"]!.GetValue<string>() is "Route" or "SyncSecret"));

    private static string Print(IEnumerable<JsonObject> output) =>
        Yaml.Write(
            output.Select(json =>
            {
                StandardMetadata.OmitTimes(json);
                if (json["spec"]?["source"]?["kubernetes"]?["resource"] is JsonObject source)
                {
                    StandardMetadata.OmitFromRoute(json, source);
                }

                return json;
            })
        );
}
