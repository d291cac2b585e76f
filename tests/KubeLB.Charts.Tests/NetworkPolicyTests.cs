using System.Text.Json.Nodes;
using KubeLB.Charts.Tests.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests;

/// <summary>The peers that the manager's NetworkPolicy allows, as in Kubernetes: all selectors of one peer must match.</summary>
public sealed class NetworkPolicyTests
{
    private static readonly string Recorded = Path.Combine(
        SourceTree.Root,
        "tests",
        "KubeLB.EndToEnd",
        "testdata",
        "recorded",
        "v0.1",
        "management"
    );

    [Fact]
    public async Task NetworkPolicy_allows_only_proxies_and_replicas_to_the_xDS_server()
    {
        var objects = Yaml.Read(await Chart.RenderAsync(Chart.Manager));
        var policy = objects.Single(o => (string?)o["kind"] == "NetworkPolicy")["spec"]!;
        var rule = policy["ingress"]!.AsArray().Single(r => r!["ports"]!.AsArray().Any(p => (string?)p!["port"] == "xds"))!;
        var replica = objects.Single(o => (string?)o["kind"] == "Deployment")["spec"]!["template"]!["metadata"]!["labels"]!.AsObject();
        var proxy = Recording("deployment-tenant-t1-envoy-tenant-t1")["spec"]!["template"]!["metadata"]!["labels"]!.AsObject();
        var tenantNamespace = Recording("namespace-tenant-t1")["metadata"]!["labels"]!.AsObject();
        var managerNamespace = new JsonObject { ["kubernetes.io/metadata.name"] = "kubelb" };
        var others = new JsonObject { ["app.kubernetes.io/name"] = "something" };

        Permits(rule, managerNamespace, replica, isSameNamespace: true)
            .Should()
            .BeTrue("replicas query each other for the acknowledgements of proxies");
        Permits(rule, tenantNamespace, proxy, isSameNamespace: false).Should().BeTrue();
        Permits(rule, managerNamespace, others, isSameNamespace: true).Should().BeFalse();
        Permits(rule, tenantNamespace, others, isSameNamespace: false).Should().BeFalse();
        Permits(rule, new JsonObject(), proxy, isSameNamespace: false).Should().BeFalse();
        policy["policyTypes"]!.AsArray().Select(t => (string?)t).Should().Equal("Ingress");
    }

    private static JsonObject Recording(string name) => Yaml.Read(File.ReadAllText(Path.Combine(Recorded, name + ".yaml"))).Single();

    private static bool Permits(JsonNode rule, JsonObject namespaceLabels, JsonObject podLabels, bool isSameNamespace) =>
        rule["from"]!
            .AsArray()
            .Any(peer =>
                (peer!["namespaceSelector"] is { } selector ? Matches(selector, namespaceLabels) : isSameNamespace)
                && Matches(peer["podSelector"]!, podLabels)
            );

    private static bool Matches(JsonNode selector, JsonObject labels) =>
        selector["matchLabels"]!.AsObject().All(l => (string?)labels[l.Key] == (string?)l.Value);
}
