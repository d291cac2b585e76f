using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;

namespace KubeLB.EndToEnd;

/// <summary>Condition of the Config while tenants may use the hostnames of others.</summary>
public sealed class OpenDomainsTests
{
    [Fact]
    [Trait("Threat", "hostnames")]
    public async Task Config_reports_how_many_of_several_Tenants_are_not_restricted()
    {
        await using var management = await BareManagement.StartAsync();
        await management.AddTenantAsync(await management.StartManagerAsync());
        await ConditionAsync(management, c => c is null, "one tenant has only its own hostnames");

        await management.Objects.ApplyAsync(Tenant("t2", "{}") + "\n---\n" + Tenant("t3", "{allowedDomains: [\"*\"]}"));
        await ConditionAsync(
            management,
            c => c?.Message.StartsWith("2 of 3 Tenants", StringComparison.Ordinal) == true,
            "t3 may by decision"
        );

        await PatchAsync(management, "t2", """["*.t2.example.com"]""");
        await ConditionAsync(
            management,
            c => c?.Message.StartsWith("1 of 3 Tenants", StringComparison.Ordinal) == true,
            "t2 is restricted"
        );

        await PatchAsync(management, "t1", """["*.t1.example.com"]""");
        await ConditionAsync(management, c => c is null, "all have a list");

        await PatchAsync(management, "t2", "[]");
        await ConditionAsync(management, c => c is not null, "an empty list is treated as no list");

        await management.Objects.PatchAsync<Config>("kubelb", "default", """{"spec":{"allowedDomains":["*"]}}""");
        await ConditionAsync(management, c => c is null, "the Config has a list");

        await management.Objects.PatchAsync<Config>("kubelb", "default", """{"spec":{"allowedDomains":null}}""");
        await ConditionAsync(management, c => c is not null, "it has none");
        await management.Objects.DeleteAsync<Tenant>("", "t1");
        await management.Objects.DeleteAsync<Tenant>("", "t3");
        await ConditionAsync(management, c => c is null, "one tenant is left");
    }

    private static string Tenant(string name, string spec) =>
        $"apiVersion: kubelb.k8c.io/v1alpha1\nkind: Tenant\nmetadata: {{name: {name}}}\nspec: {spec}\n";

    private static Task<Tenant> PatchAsync(BareManagement management, string tenant, string domains) =>
        management.Objects.PatchAsync<Tenant>("", tenant, $$"""{"spec":{"allowedDomains":{{domains}} } }""");

    private static async Task ConditionAsync(BareManagement management, Func<Condition?, bool> holds, string because)
    {
        var config = await management.Objects.WaitAsync<Config>(
            "kubelb",
            "default",
            c => c.Status?.Conditions?.Find(o => o.Type == "DomainsRestricted") is { } o && holds(o.Status == "False" ? o : null),
            because
        );
        var condition = config.Status!.Conditions!.Single(c => c.Type == "DomainsRestricted");
        (condition.Status, condition.Reason).Should().BeOneOf(("True", "Restricted"), ("False", "AllowedDomainsNotSet"));
    }
}
