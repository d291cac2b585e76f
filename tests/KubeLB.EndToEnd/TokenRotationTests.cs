using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.EndToEnd.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>Rotation of the token of a tenant's CCM by an annotation of its Tenant.</summary>
public sealed class TokenRotationTests : IAsyncLifetime
{
    private const string Ns = "tenant-t1";

    private SystemFixture _fixture = null!;
    private byte[] _kubeconfig = null!;

    private TestCluster Management => _fixture.Management;

    public async ValueTask InitializeAsync()
    {
        _fixture = await SystemFixture.StartAsync();
        await TokenReportedAsync("kubelb-ccm");
        _kubeconfig = (await Management.GetAsync<V1Secret>(Ns, "kubelb-ccm-kubeconfig"))!.Data["kubelb"];
    }

    public async ValueTask DisposeAsync() => await _fixture.DisposeAsync();

    [Fact]
    [Trait("Threat", "stolen-token")]
    public async Task Both_tokens_are_valid_until_the_CCM_uses_the_new_one()
    {
        var first = await TokenAsync();
        await _fixture.StopCcmAsync();

        await RotateAsync("2026-12-01");

        var second = await TokenAsync(after: first);
        await ConditionAsync(c => c?.Message.Contains("Secret kubelb-ccm,", StringComparison.Ordinal) == true);
        await EventAsync("WaitingForCCM", "Copy Secret kubelb-ccm-kubeconfig of tenant-t1");
        await _fixture.RestartManagerAsync();
        await _fixture.SettleAsync();
        (await StatusOfAsync(first)).Should().Be(HttpStatusCode.OK);
        (await StatusOfAsync(second)).Should().Be(HttpStatusCode.OK);
        (await TokenAsync()).Should().Be(second, "the value of the annotation was handled before the restart");
        (await Management.GetAsync<Tenant>("", "t1"))!.Status!.Phase.Should().Be(TenantPhases.Ready);

        await _fixture.StartCcmAsync();

        await ConditionAsync(c => c is null);
        await EventAsync("TokenRotated", "revoked");
        (await StatusOfAsync(first)).Should().Be(HttpStatusCode.Unauthorized);
        (await StatusOfAsync(second)).Should().Be(HttpStatusCode.OK);
        (await TokenSecretsAsync()).Should().ContainSingle();
    }

    [Fact]
    [Trait("Threat", "stolen-token")]
    public async Task Running_CCM_completes_several_rotations_without_a_restart()
    {
        var tokens = new List<string> { await TokenAsync() };
        foreach (var value in new[] { "1", "2", "1" })
        {
            await RotateAsync(value);
            tokens.Add(await TokenAsync(after: tokens[^1]));
            await TokenReportedAsync((await CurrentSecretAsync())!);
            await Eventually.HoldsAsync(
                async () => await StatusOfAsync(tokens[^2]) == HttpStatusCode.Unauthorized,
                "the previous token is revoked"
            );
        }

        tokens.Should().OnlyHaveUniqueItems("a value that was used before rotates, too");
        (await TokenSecretsAsync()).Should().ContainSingle();
        await _fixture.ApplyBasicExampleAsync();
    }

    [Fact]
    [Trait("Threat", "stolen-token")]
    public async Task Tenant_deleted_during_a_rotation_leaves_no_valid_token()
    {
        var first = await TokenAsync();
        await _fixture.StopCcmAsync();
        await RotateAsync("now");
        var second = await TokenAsync(after: first);

        await Management.DeleteAsync<Tenant>("", "t1");

        await Management.WaitGoneAsync<V1Namespace>("", Ns);
        (await StatusOfAsync(first)).Should().Be(HttpStatusCode.Unauthorized);
        (await StatusOfAsync(second)).Should().Be(HttpStatusCode.Unauthorized);
        await Management.WaitGoneAsync<Tenant>("", "t1");
    }

    [Fact]
    public async Task Token_of_a_CCM_that_does_not_report_it_is_revoked_by_the_administrator()
    {
        await _fixture.StopCcmAsync();
        var first = await TokenAsync();
        await ReportAsync("null");

        await RotateAsync("now");
        var second = await TokenAsync(after: first);

        await ConditionAsync(c => c?.Message.EndsWith("kubectl -n tenant-t1 delete secret kubelb-ccm", StringComparison.Ordinal) == true);
        await Management.DeleteAsync<V1Secret>(Ns, "kubelb-ccm");

        await ConditionAsync(c => c is null);
        (await StatusOfAsync(first)).Should().Be(HttpStatusCode.Unauthorized);
        (await StatusOfAsync(second)).Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    [Trait("Threat", "forged-token-report")]
    public async Task Forged_report_revokes_only_the_previous_token_of_the_same_tenant()
    {
        await _fixture.StopCcmAsync();
        var first = await TokenAsync();
        await RotateAsync("now");
        var second = await TokenAsync(after: first);

        await ReportAsync("\"kubelb-ccm-other\"");
        await ConditionAsync(c => c?.Message.Contains("No CCM reports", StringComparison.Ordinal) == true);
        (await StatusOfAsync(first)).Should().Be(HttpStatusCode.OK, "no such token exists");

        await ReportAsync($"\"{await CurrentSecretAsync()}\"");
        await ConditionAsync(c => c is null);
        (await StatusOfAsync(first)).Should().Be(HttpStatusCode.Unauthorized);
        (await StatusOfAsync(second)).Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Token_Secret_without_label_of_a_Go_manager_is_revoked_too()
    {
        await _fixture.StopManagerAsync();
        var first = await TokenAsync();
        await Management.PatchAsync<V1Secret>(
            Ns,
            "kubelb-ccm",
            """{"metadata":{"labels":{"kubelb.k8c.io/managed-by":null},"annotations":{"kubelb.k8c.io/applied":null}}}"""
        );
        await RotateAsync("now");

        await _fixture.StartManagerAsync();

        await TokenAsync(after: first);
        await Eventually.HoldsAsync(async () => await StatusOfAsync(first) == HttpStatusCode.Unauthorized, "the first token is revoked");
    }

    private Task<Tenant> RotateAsync(string value) =>
        Management.PatchAsync<Tenant>("", "t1", $$"""{"metadata":{"annotations":{"kubelb.k8c.io/rotate-token":"{{value}}"} } }""");

    private Task<Addresses> ReportAsync(string secret) =>
        Management.PatchAsync<Addresses>(Ns, "default", $$"""{"metadata":{"annotations":{"kubelb.k8c.io/ccm-token":{{secret}} } } }""");

    private Task<Addresses> TokenReportedAsync(string secret) =>
        Management.WaitAsync<Addresses>(Ns, "default", a => CcmAnnotations.CcmTokenOf(a) == secret, $"reports the token of {secret}");

    private async Task<string?> CurrentSecretAsync() =>
        (await Management.GetAsync<V1ServiceAccount>(Ns, "kubelb-ccm"))?.Metadata.Annotations?[Annotations.TokenSecret];

    private async Task<IReadOnlyList<V1Secret>> TokenSecretsAsync() =>
        [.. (await Management.ListAsync<V1Secret>(Ns)).Where(s => s.Type == "kubernetes.io/service-account-token")];

    private async Task<string> TokenAsync(string? after = null) =>
        TokenIn(await Management.WaitAsync<V1Secret>(Ns, "kubelb-ccm-kubeconfig", s => TokenIn(s) != after, "has another token"));

    private static string TokenIn(V1Secret secret) => Read(secret.Data["kubelb"]).AccessToken;

    private static KubernetesClientConfiguration Read(byte[] kubeconfig)
    {
        using var yaml = new MemoryStream(kubeconfig);
        return KubernetesClientConfiguration.BuildConfigFromConfigFile(yaml);
    }

    private async Task<HttpStatusCode> StatusOfAsync(string token)
    {
        var configuration = Read(_kubeconfig);
        configuration.AccessToken = token;
        await using var client = new TestCluster(_fixture.Sandbox.Management.CreateClient(configuration));
        try
        {
            await client.ListAsync<Route>(Ns);
            return HttpStatusCode.OK;
        }
        catch (HttpOperationException e)
        {
            return e.Response.StatusCode;
        }
    }

    private Task<Tenant> ConditionAsync(Func<Condition?, bool> holds) =>
        Management.WaitAsync<Tenant>(
            "",
            "t1",
            t => holds(t.Status?.Conditions?.FirstOrDefault(c => c is { Type: "TokenRotated", Status: "False", Reason: "WaitingForCCM" })),
            "has TokenRotated as expected"
        );

    private Task EventAsync(string reason, string words) =>
        Eventually.HoldsAsync(
            async () =>
                (await Management.ListAsync<Corev1Event>("default")).Any(e =>
                    e.InvolvedObject.Name == "t1"
                    && e.Type == "Normal"
                    && e.Reason == reason
                    && e.Message.Contains(words, StringComparison.Ordinal)
                ),
            $"there is an Event {reason}"
        );
}
