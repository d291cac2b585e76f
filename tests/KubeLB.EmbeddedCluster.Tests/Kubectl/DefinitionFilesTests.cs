namespace KubeLB.EmbeddedCluster.Tests.Kubectl;

/// <summary>
/// Definition files as projects release them. Small ones are fixtures; a folder of big ones can be named in the environment.
/// </summary>
public sealed class DefinitionFilesTests(KubectlFixture kubectl) : IClassFixture<KubectlFixture>
{
    private const string Variable = "KUBELB_TEST_CRDS";

    [Fact]
    public async Task Whole_folders_of_release_files_are_applied_served_and_explained()
    {
        var folder = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(
            string.IsNullOrEmpty(folder),
            $"{Variable} does not name a folder with CustomResourceDefinitions of releases, for instance of the Gateway API"
        );

        var applied = await kubectl.OkAsync($"create -R -f {folder}");
        (await kubectl.OkAsync($"apply -R -f {folder}")).Lines.Should().HaveSameCount(applied.Lines);

        applied.Lines.Should().NotBeEmpty().And.OnlyContain(line => line.EndsWith(" created", StringComparison.Ordinal));
        await kubectl.OkAsync("wait crd --all --for=condition=Established --timeout=10s");
        foreach (var plural in (await kubectl.OkAsync("get crd -o jsonpath={.items[*].metadata.name}")).Text.Split(' '))
        {
            await kubectl.OkAsync($"get {plural} -A");
            (await kubectl.OkAsync($"explain {plural}")).Text.Should().Contain("KIND:");
        }
    }
}
