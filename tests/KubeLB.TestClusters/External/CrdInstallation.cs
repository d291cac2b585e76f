using System.Net;
using System.Text.Json.Nodes;
using KubeLB.Tests.Shared;

namespace KubeLB.TestClusters.External;

/// <summary>Creates CustomResourceDefinitions in a real API server and waits until their kinds are served.</summary>
internal static class CrdInstallation
{
    private const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    public static async Task InstallAsync(ServerAccess access, IEnumerable<string> yaml, CancellationToken cancellationToken)
    {
        using var client = new ApiServerClient(access);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Deadline);
        var definitions = yaml.SelectMany(text => Yaml.Read(text)).ToList();
        foreach (var definition in definitions)
        {
            if (definition["kind"]?.GetValue<string>() != "CustomResourceDefinition")
            {
                throw new ArgumentException($"Only CustomResourceDefinitions are installed, not {definition["kind"]}.", nameof(yaml));
            }

            await ApplyAsync(client, definition, deadline.Token).ConfigureAwait(false);
        }

        foreach (var definition in definitions)
        {
            await WaitUntilServedAsync(client, definition, deadline.Token).ConfigureAwait(false);
        }
    }

    private static async Task ApplyAsync(ApiServerClient client, JsonObject definition, CancellationToken cancellationToken)
    {
        var (status, _) = await client
            .SendAsync(HttpMethod.Post, Definitions, definition, "application/json", cancellationToken, HttpStatusCode.Conflict)
            .ConfigureAwait(false);
        if (status == HttpStatusCode.Conflict)
        {
            var path = $"{Definitions}/{definition["metadata"]!["name"]!.GetValue<string>()}";
            await client
                .SendAsync(HttpMethod.Patch, path, definition, "application/merge-patch+json", cancellationToken)
                .ConfigureAwait(false);
        }
    }

    // Condition Established is True before all parts of the server serve the kind: the kind itself is probed.
    private static async Task WaitUntilServedAsync(ApiServerClient client, JsonObject definition, CancellationToken cancellationToken)
    {
        var spec = definition["spec"]!;
        foreach (var version in spec["versions"]!.AsArray().Where(v => v!["served"]!.GetValue<bool>()))
        {
            var path = $"/apis/{spec["group"]}/{version!["name"]}/{spec["names"]!["plural"]}?limit=1";
            while (await client.ProbeAsync(path, cancellationToken).ConfigureAwait(false) != HttpStatusCode.OK)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
