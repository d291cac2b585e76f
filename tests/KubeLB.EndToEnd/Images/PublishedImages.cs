using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd.Images;

/// <summary>Both images, published once for all tests as their Dockerfiles say, outside of the repository and of git.</summary>
[CollectionDefinition(Collection)]
public sealed class PublishedImages : IAsyncLifetime, ICollectionFixture<PublishedImages>
{
    /// <summary>Name of the collection of the tests that run them.</summary>
    public const string Collection = "published images";

    /// <summary>The commit that the CCM is built with; the manager is built without one.</summary>
    public const string Revision = "0123456789abcdef0123456789abcdef01234567";

    /// <summary>The date of that commit.</summary>
    public const string CommitDate = "2026-11-29";

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("kubelb-images-");

    internal ImageContent Ccm { get; private set; } = null!;

    internal ImageContent Manager { get; private set; } = null!;

    /// <summary>An empty folder, for a container that needs no kubeconfig.</summary>
    public string NoKubeconfigs => _root.CreateSubdirectory("none").FullName;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        if (ImageProcess.Missing is not null)
        {
            return;
        }

        // In one folder, the second publish takes less time. The CCM, which needs fewer projects, is first: it finds no file but its own.
        Ccm = await PublishAsync("ccm", new Dictionary<string, string> { ["REVISION"] = Revision, ["COMMIT_DATE"] = CommitDate });
        Manager = await PublishAsync("manager", []);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _root.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    private async Task<ImageContent> PublishAsync(string component, Dictionary<string, string> arguments)
    {
        var dockerfile = new Dockerfile($"Dockerfile.{component}");
        arguments["TARGETARCH"] = "amd64";
        await dockerfile.RunAsync(_root.FullName, arguments);
        var content = dockerfile.Content(_root.FullName);
        var app = Path.Combine(_root.FullName, component);
        Directory.Move(content.App, app);
        return content with { App = app };
    }
}
