using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Hosting;
using KubeLB.Translation.Tenants;

namespace KubeLB.Manager.Tests.Tenants;

[Trait("Threat", "other-tenants-objects")]
public sealed class TenantObjectsTests
{
    private static readonly Tenant Tenant = new()
    {
        Metadata = new() { Name = "t1", Uid = "u-1" },
    };

    [Fact]
    public void Role_without_Go_compatibility_grants_only_what_this_CCM_uses()
    {
        var rules = TenantObjects.Role(Tenant, goCompatibility: false).Rules;

        rules
            .SelectMany(r => r.Resources.SelectMany(resource => r.Verbs.Select(verb => $"{verb} {resource} {r.ResourceNames?.Single()}")))
            .Should()
            .BeEquivalentTo(
                "create routes ",
                "get routes ",
                "list routes ",
                "watch routes ",
                "patch routes ",
                "delete routes ",
                "create syncsecrets ",
                "get syncsecrets ",
                "list syncsecrets ",
                "watch syncsecrets ",
                "patch syncsecrets ",
                "delete syncsecrets ",
                "create addresses ",
                "list addresses ",
                "watch addresses ",
                "get addresses default",
                "patch addresses default",
                "get tenantstates default"
            );
    }

    [Fact]
    public void Role_with_Go_compatibility_matches_the_Go_manager()
    {
        var rules = TenantObjects.Role(Tenant, goCompatibility: true).Rules;

        Granted(rules)
            .Should()
            .BeEquivalentTo(
                Granted([
                    Rule(
                        ["loadbalancers", "routes", "addresses", "syncsecrets"],
                        ["create", "update", "get", "list", "delete", "patch", "watch"]
                    ),
                    Rule(["tenantstates"], ["get", "list", "watch"]),
                    Rule(["tenantstates/status"], ["get"]),
                    Rule(["loadbalancers/status", "routes/status", "addresses/status", "syncsecrets/status"], ["update", "get", "patch"]),
                ])
            );
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Role_grants_SyncSecrets_but_no_Secrets_and_no_other_group(bool goCompatibility)
    {
        var rules = TenantObjects.Role(Tenant, goCompatibility).Rules;

        rules
            .Where(r => r.Resources.Contains("syncsecrets"))
            .SelectMany(r => r.Verbs)
            .Should()
            .Contain(["create", "patch", "delete", "list", "watch"]);
        rules.SelectMany(r => r.Resources).Should().NotContain("secrets");
        rules.SelectMany(r => r.ApiGroups).Should().AllBe("kubelb.k8c.io");
        rules.SelectMany(r => r.Verbs).Should().NotContain("*");
    }

    [Fact]
    public void Token_Secret_has_no_data()
    {
        var secret = TenantObjects.Token(Tenant, "kubelb-ccm");

        secret.Type.Should().Be("kubernetes.io/service-account-token");
        secret.Metadata.Annotations.Should().Contain("kubernetes.io/service-account.name", "kubelb-ccm");
        secret.Data.Should().BeNull("the token controller writes the data");
    }

    [Fact]
    public void Namespace_is_owned_by_the_Tenant()
    {
        var ns = TenantObjects.Namespace(Tenant);

        ns.Metadata.Name.Should().Be("tenant-t1");
        ns.Metadata.OwnerReferences.Should().ContainSingle().Which.Uid.Should().Be("u-1");
    }

    [Fact]
    public void TenantState_time_changes_only_with_its_content()
    {
        var state = TenantObjects.State(Tenant);
        state.Status = TenantObjects.StateStatus(state, TenantPolicy.Default, V1, "2026-01-01T00:00:00Z");

        TenantObjects.StateStatus(state, TenantPolicy.Default, V1, "2026-01-02T00:00:00Z").LastUpdated.Should().Be("2026-01-01T00:00:00Z");
        TenantObjects
            .StateStatus(state, new TenantPolicy { IsGatewayApiDisabled = true }, V1, "2026-01-02T00:00:00Z")
            .LastUpdated.Should()
            .Be("2026-01-02T00:00:00Z");
        TenantObjects
            .StateStatus(state, new TenantPolicy { IsGrpcRouteDisabled = true }, V1, "2026-01-02T00:00:00Z")
            .GatewayAPI!.DisableGRPCRoute.Should()
            .BeTrue();
        TenantObjects
            .StateStatus(state, TenantPolicy.Default, V1 with { Version = "v2" }, "2026-01-02T00:00:00Z")
            .LastUpdated.Should()
            .Be("2026-01-02T00:00:00Z");
        TenantObjects
            .StateStatus(state, TenantPolicy.Default, V1 with { Commit = "89abcde" }, "2026-01-02T00:00:00Z")
            .LastUpdated.Should()
            .Be("2026-01-02T00:00:00Z");
    }

    [Theory]
    [InlineData("0123456", "2026-11-29", "0123456", "2026-11-29")]
    [InlineData("0123456", null, "0123456", "unknown")]
    [InlineData(null, null, "unknown", "unknown")]
    public void Version_of_the_manager_has_commit_and_date(string? commit, string? date, string gitCommit, string buildDate)
    {
        var version = TenantObjects.Version(new BuildVersion("kubelb-manager", "v1.2.3", commit, date));

        (version.GitVersion, version.GitCommit, version.BuildDate).Should().Be(("v1.2.3", gitCommit, buildDate));
    }

    private static BuildVersion V1 { get; } = new("kubelb-manager", "v1", "0123456", "2026-11-29");

    private static V1PolicyRule Rule(string[] resources, string[] verbs) =>
        new()
        {
            ApiGroups = ["kubelb.k8c.io"],
            Resources = resources,
            Verbs = verbs,
        };

    private static IEnumerable<string> Granted(IEnumerable<V1PolicyRule> rules) =>
        rules.SelectMany(r => r.Resources.SelectMany(resource => r.Verbs.Select(verb => $"{verb} {resource}")));
}
