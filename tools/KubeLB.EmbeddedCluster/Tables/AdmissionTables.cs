using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Tables;

/// <summary>The columns of admission policies (kubernetes <c>pkg/printers/internalversion</c>).</summary>
internal static class AdmissionTables
{
    private const string Unset = "<unset>";

    public static ITableFormat Policies { get; } =
        new TableFormat()
            .Name()
            .Integer("Validations", tree => tree.Object("spec").Array("validations")?.Count)
            .Text(
                "ParamKind",
                tree => tree.Object("spec").Object("paramKind") is { } kind ? $"{kind.Text("apiVersion")}/{kind.Text("kind")}" : Unset
            )
            .Age();

    public static ITableFormat Bindings { get; } =
        new TableFormat()
            .Name()
            .Text("PolicyName", tree => tree.Object("spec").Text("policyName"))
            .Text(
                "ParamRef",
                tree =>
                    tree.Object("spec").Object("paramRef") is { } reference
                        ? string.Join(
                            '/',
                            new[] { reference.Text("namespace"), reference.Text("name") }.Where(part => !string.IsNullOrEmpty(part))
                        )
                        : Unset
            )
            .Age();
}
