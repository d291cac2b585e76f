using System.Text.Json.Nodes;
using KubeLB.Sandbox.Composition;
using KubeLB.Tests.Shared;

namespace KubeLB.Sandbox.Tests.Crds;

/// <summary>
/// Every recorded object of KubeLB's kinds, of the Go pair and of versions of this project, is valid under the definitions: an API server
/// takes it whole, status included, and prunes nothing.
/// </summary>
public sealed class RecordedObjectsTests : IAsyncLifetime
{
    private static readonly string[] Folders = ["tests/KubeLB.EndToEnd/testdata/recorded", "tests/KubeLB.Api.Tests/Serialization/Recorded"];

    private EmbeddedCluster.EmbeddedCluster _cluster = null!;
    private KubectlBinary _kubectl = null!;

    public static TheoryData<string> Files =>
        [
            .. Folders
                .SelectMany(folder => Directory.GetFiles(Path.Combine(SourceTree.Root, folder), "*.*", SearchOption.AllDirectories))
                .Where(file => KubelbObjects(file).Any())
                .Select(file => Path.GetRelativePath(SourceTree.Root, file))
                .Order(StringComparer.Ordinal),
        ];

    public async ValueTask InitializeAsync()
    {
        _cluster = await EmbeddedCluster.EmbeddedCluster.StartAsync();

        // Without the subresource, a status is validated when the object is created.
        const string Subresource = "      subresources:\n        status: {}\n";
        var definitions = CrdResources.Management.ToList();
        definitions.Count(text => text.Contains(Subresource, StringComparison.Ordinal)).Should().BeGreaterThan(6);
        await _cluster.InstallCrdsAsync(definitions.Select(text => text.Replace(Subresource, "", StringComparison.Ordinal)));
        _kubectl = new KubectlBinary(_cluster.KubeconfigYaml);
    }

    public async ValueTask DisposeAsync()
    {
        _kubectl.Dispose();
        await _cluster.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Recorded_object_is_valid_and_has_no_unknown_field(string file)
    {
        foreach (var value in KubelbObjects(Path.Combine(SourceTree.Root, file)))
        {
            var metadata = value["metadata"]!.AsObject();
            foreach (
                var ofTheServer in new[] { "uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "ownerReferences" }
            )
            {
                metadata.Remove(ofTheServer);
            }

            if (metadata["namespace"] is { } @namespace)
            {
                await _kubectl.RunAsync($"create namespace {@namespace}");
            }

            var created = await _kubectl.OkAsync("create --validate=strict -o json -f -", value.ToJsonString());

            JsonNode
                .DeepEquals(JsonNode.Parse(created.Text)!["status"], value["status"])
                .Should()
                .BeTrue($"nothing is pruned from {value["status"]}");
        }
    }

    private static IEnumerable<JsonObject> KubelbObjects(string file) =>
        Yaml.Read(File.ReadAllText(file)).Where(value => value["apiVersion"]?.GetValue<string>() == "kubelb.k8c.io/v1alpha1");
}
