using KubeLB.EmbeddedCluster.CustomResources;
using KubeLB.EmbeddedCluster.Errors;

namespace KubeLB.EmbeddedCluster.Tests.Rules;

/// <summary>The definitions of the repository, and those of KUBELB_TEST_CRDS, only have rules that are evaluated.</summary>
public sealed class ShippedRulesTests
{
    public static TheoryData<string> Files => new(RuleDefinitions.Files());

    [Theory]
    [MemberData(nameof(Files))]
    public void Rules_of_a_definition_compile(string file)
    {
        var errors = new List<FieldError>();

        foreach (var (version, schema) in RuleDefinitions.Schemas(file))
        {
            SchemaRules.Compile(schema, version, errors);
        }

        errors.Should().BeEmpty();
    }
}
