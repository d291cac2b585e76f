using System.Text;
using KubeLB.EmbeddedCluster.Tests.Support;

namespace KubeLB.EmbeddedCluster.Tests.Security;

public sealed class RbacTests(ClusterFixture fixture) : IClassFixture<ClusterFixture>
{
    private const string Rbac = "/apis/rbac.authorization.k8s.io/v1";

    private readonly Api _api = fixture.Api;

    [Fact]
    public async Task Role_grants_only_its_rules()
    {
        var (ns, token) = await AccountAsync(
            """[{"verbs":["get","list"],"apiGroups":[""],"resources":["configmaps"]},{"verbs":["get"],"apiGroups":[""]"""
                + ""","resources":["secrets"],"resourceNames":["mine"]}]"""
        );
        using var user = new Api(fixture.Cluster, token);

        (await user.GetAsync($"/api/v1/namespaces/{ns}/configmaps")).ShouldBe(200);
        (await user.GetAsync($"/api/v1/namespaces/{ns}/secrets/mine")).ShouldBe(404);
        (await user.GetAsync($"/api/v1/namespaces/{ns}/secrets/other"))
            .ShouldBe(403)
            .Message.Should()
            .Be(
                $"secrets \"other\" is forbidden: User \"system:serviceaccount:{ns}:user\" cannot get resource \"secrets\" in API "
                    + $"group \"\" in the namespace \"{ns}\""
            );
        (await user.PostAsync($"/api/v1/namespaces/{ns}/configmaps", """{"metadata":{"name":"a"}}""")).ShouldBe(403);
        (await user.GetAsync("/api/v1/namespaces/default/configmaps")).ShouldBe(403);
        (await user.GetAsync("/api/v1/configmaps")).ShouldBe(403).Message.Should().EndWith("at the cluster scope");
    }

    [Fact]
    public async Task List_or_watch_of_one_name_is_allowed_by_resourceNames()
    {
        var (ns, token) = await AccountAsync(
            """[{"verbs":["list","watch"],"apiGroups":[""],"resources":["configmaps"],"resourceNames":["mine"]}]"""
        );
        using var user = new Api(fixture.Cluster, token);

        (await user.GetAsync($"/api/v1/namespaces/{ns}/configmaps?fieldSelector=metadata.name%3Dmine")).ShouldBe(200);
        (
            await user.GetAsync($"/api/v1/namespaces/{ns}/configmaps?fieldSelector=metadata.namespace%3D{ns},metadata.name%3D%3Dmine")
        ).ShouldBe(200);
        (await user.GetAsync($"/api/v1/namespaces/{ns}/configmaps?fieldSelector=metadata.name%3Dother")).ShouldBe(403);
        (await user.GetAsync($"/api/v1/namespaces/{ns}/configmaps?fieldSelector=metadata.name%21%3Dmine")).ShouldBe(403);
        (await user.GetAsync($"/api/v1/namespaces/{ns}/configmaps")).ShouldBe(403);
    }

    [Fact]
    public async Task Subresource_needs_its_own_rule()
    {
        var (ns, token) = await AccountAsync("""[{"verbs":["*"],"apiGroups":["*"],"resources":["services"]}]""");
        using var user = new Api(fixture.Cluster, token);
        (
            await user.PostAsync($"/api/v1/namespaces/{ns}/services", """{"metadata":{"name":"s"},"spec":{"ports":[{"port":80}]}}""")
        ).ShouldBe(201);

        (await user.MergeAsync($"/api/v1/namespaces/{ns}/services/s/status", """{"status":{}}"""))
            .ShouldBe(403)
            .Message.Should()
            .Contain("cannot patch resource \"services/status\"");
    }

    [Fact]
    public async Task User_cannot_grant_permissions_that_it_does_not_hold()
    {
        var (ns, token) = await AccountAsync(
            """[{"verbs":["*"],"apiGroups":["rbac.authorization.k8s.io"],"resources":["roles","rolebindings"],"resourceNames":[]}"""
                + """,{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}]""",
            verbs: """["create","get","list","update","patch"]"""
        );
        using var user = new Api(fixture.Cluster, token);

        (
            await user.PostAsync(
                $"{Rbac}/namespaces/{ns}/roles",
                """{"metadata":{"name":"ok"},"rules":[{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}]}"""
            )
        ).ShouldBe(201);
        var rejected = (
            await user.PostAsync(
                $"{Rbac}/namespaces/{ns}/roles",
                """{"metadata":{"name":"more"},"rules":[{"verbs":["get","delete"],"apiGroups":[""],"resources":["pods","secrets"]}]}"""
            )
        ).ShouldBe(403);
        rejected
            .Message.Should()
            .StartWith(
                $"roles.rbac.authorization.k8s.io \"more\" is forbidden: user \"system:serviceaccount:{ns}:user\" "
                    + $"(groups=[\"system:serviceaccounts\" \"system:serviceaccounts:{ns}\" \"system:authenticated\"]) is attempting to "
                    + "grant RBAC permissions not currently held:\n"
            );
        rejected.Message.Should().Contain("{APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"get\" \"delete\"]}");
        (
            await user.PostAsync(
                $"{Rbac}/namespaces/{ns}/rolebindings",
                $$"""
                {"metadata":{"name":"up"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"cluster-admin"},
                  "subjects":[{"kind":"ServiceAccount","name":"user","namespace":"{{ns}}"}]}
                """
            )
        ).ShouldBe(403).Message.Should().Contain("is attempting to grant RBAC permissions not currently held");
    }

    [Fact]
    public async Task Anonymous_can_only_read_health_and_version()
    {
        using var anonymous = new Api(fixture.Cluster, "");

        (await anonymous.GetAsync("/healthz")).ShouldBe(200);
        (await anonymous.GetAsync("/readyz")).ShouldBe(200);
        (await anonymous.GetAsync("/version")).ShouldBe(200);
        (await anonymous.GetAsync("/apis"))
            .ShouldBe(403)
            .Message.Should()
            .Be("forbidden: User \"system:anonymous\" cannot get path \"/apis\"");
        (await anonymous.GetAsync("/api/v1/namespaces/default/secrets")).ShouldBe(403);
    }

    [Fact]
    public async Task Requested_token_is_invalid_after_expiration_or_account_deletion()
    {
        var (ns, _) = await AccountAsync("[]");
        var account = $"/api/v1/namespaces/{ns}/serviceaccounts/user";
        var reply = (
            await _api.PostAsync(
                $"{account}/token",
                """{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":3600}}"""
            )
        ).ShouldBe(201);
        using var user = new Api(fixture.Cluster, reply.TextAt("status.token"));
        (await user.GetAsync("/api")).ShouldBe(200);

        (await _api.PostAsync($"{account}/token", """{"spec":{"expirationSeconds":60}}"""))
            .ShouldBe(422)
            .Message.Should()
            .Contain("may not specify a duration less than 10 minutes");
        (await _api.DeleteAsync(account)).ShouldBe(200);

        (await user.GetAsync("/api")).ShouldBe(401).Message.Should().Be("Unauthorized");
    }

    [Fact]
    public async Task Tampered_token_is_rejected()
    {
        var (_, token) = await AccountAsync("[]");
        var parts = token.Split('.');
        var body = Encoding.UTF8.GetString(
            Convert.FromBase64String(parts[1].Replace('-', '+').Replace('_', '/').PadRight((parts[1].Length + 3) / 4 * 4, '='))
        );
        var forged = Convert
            .ToBase64String(Encoding.UTF8.GetBytes(body.Replace("user", "root")))
            .TrimEnd('=')
            .Replace('+', '-')
            .Replace('/', '_');
        using var user = new Api(fixture.Cluster, $"{parts[0]}.{forged}.{parts[2]}");

        (await user.GetAsync("/api")).ShouldBe(401);
    }

    [Fact]
    public async Task Token_Secret_is_populated_and_valid_until_deleted()
    {
        var (ns, _) = await AccountAsync("""[{"verbs":["list"],"apiGroups":[""],"resources":["pods"]}]""");
        var secrets = $"/api/v1/namespaces/{ns}/secrets";
        (
            await _api.PostAsync(
                secrets,
                """{"metadata":{"name":"tok","annotations":{"kubernetes.io/service-account.name":"user"}}"""
                    + ""","type":"kubernetes.io/service-account-token"}"""
            )
        ).ShouldBe(201);

        var filled = await _api.UntilAsync($"{secrets}/tok", reply => reply.At("data.token") is not null);
        Decode(filled.TextAt("data.namespace")!).Should().Be(ns);
        Decode(filled.TextAt("data")! is not null ? (string)filled.Body!["data"]!["ca.crt"]! : "")
            .Should()
            .Be(fixture.Cluster.CertificateAuthorityPem);
        using var user = new Api(fixture.Cluster, Decode(filled.TextAt("data.token")!));
        (await user.GetAsync($"/api/v1/namespaces/{ns}/pods")).ShouldBe(200);

        (await _api.DeleteAsync($"{secrets}/tok")).ShouldBe(200);
        (await user.GetAsync($"/api/v1/namespaces/{ns}/pods")).ShouldBe(401);
    }

    [Fact]
    public async Task Access_review_reports_permissions()
    {
        var (ns, token) = await AccountAsync("""[{"verbs":["get"],"apiGroups":["apps"],"resources":["deployments"]}]""");
        using var user = new Api(fixture.Cluster, token);
        const string Reviews = "/apis/authorization.k8s.io/v1";
        string Ask(string verb) =>
            $$$"""{"spec":{"resourceAttributes":{"namespace":"{{{ns}}}","verb":"{{{verb}}}","group":"apps","resource":"deployments"} } }""";

        (await user.PostAsync($"{Reviews}/selfsubjectaccessreviews", Ask("get")))
            .ShouldBe(201)
            .TextAt("status.allowed")
            .Should()
            .Be("true");
        (await user.PostAsync($"{Reviews}/selfsubjectaccessreviews", Ask("delete")))
            .ShouldBe(201)
            .TextAt("status.allowed")
            .Should()
            .Be("false");
        (await user.PostAsync($"{Reviews}/selfsubjectrulesreviews", $$$"""{"spec":{"namespace":"{{{ns}}}"} }"""))
            .ShouldBe(201)
            .Text.Should()
            .Contain("\"deployments\"");
    }

    [Fact]
    public async Task Token_review_reports_the_user_and_its_audiences()
    {
        var (ns, token) = await AccountAsync("[]");
        const string Reviews = "/apis/authentication.k8s.io/v1/tokenreviews";
        Task<Reply> ReviewAsync(string reviewed, string audiences = "[]") =>
            _api.PostAsync(Reviews, $$$"""{"spec":{"token":"{{{reviewed}}}","audiences":{{{audiences}}}} }""");

        var valid = (await ReviewAsync(token)).ShouldBe(201);
        valid.TextAt("status.authenticated").Should().Be("true");
        valid.TextAt("status.user.username").Should().Be($"system:serviceaccount:{ns}:user");
        valid.At("status.user.groups")!.ToJsonString().Should().Contain("system:authenticated");
        valid.At("status.audiences")!.ToJsonString().Should().Be("""["https://kubernetes.default.svc.cluster.local"]""");

        var otherAudience = (await ReviewAsync(token, """["vault"]""")).ShouldBe(201);
        otherAudience.At("status.authenticated").Should().BeNull();
        otherAudience.TextAt("status.error").Should().Be("invalid bearer token");
        var forVault = (
            await _api.PostAsync($"/api/v1/namespaces/{ns}/serviceaccounts/user/token", """{"spec":{"audiences":["vault","other"]} }""")
        ).TextAt("status.token")!;
        (await ReviewAsync(forVault)).At("status.authenticated").Should().BeNull();
        (await ReviewAsync(forVault, """["vault"]""")).At("status.audiences")!.ToJsonString().Should().Be("""["vault"]""");

        (await ReviewAsync("invalid")).ShouldBe(201).TextAt("status.error").Should().Be("invalid bearer token");
        (await ReviewAsync("")).ShouldBe(400).Message.Should().Be("token is required for TokenReview in authentication");
        using var user = new Api(fixture.Cluster, token);
        (await user.PostAsync(Reviews, $$$"""{"spec":{"token":"{{{token}}}"} }""")).ShouldBe(403);
    }

    [Theory]
    [InlineData("""{"user":"a"}""", "spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or")]
    [InlineData(
        """{"nonResourceAttributes":{"path":"/metrics","verb":"get"}}""",
        "spec.user: Invalid value: \"\": at least one of user or"
    )]
    [InlineData(
        """{"user":"a","nonResourceAttributes":{"path":"/metrics"},"resourceAttributes":{"verb":"get"}}""",
        "cannot be specified in combination with resourceAttributes"
    )]
    public async Task Invalid_access_review_is_rejected(string spec, string message)
    {
        var reply = await _api.PostAsync("/apis/authorization.k8s.io/v1/subjectaccessreviews", $$"""{"spec":{{spec}} }""");

        reply.ShouldBe(422).Message.Should().Contain(message);
    }

    private static string Decode(string text) => Encoding.UTF8.GetString(Convert.FromBase64String(text));

    private async Task<(string Namespace, string Token)> AccountAsync(string rules, string? verbs = null)
    {
        var ns = await _api.NamespaceAsync();
        if (verbs is not null)
        {
            rules = rules.Replace("\"verbs\":[\"*\"]", $"\"verbs\":{verbs}");
        }
        (await _api.PostAsync($"/api/v1/namespaces/{ns}/serviceaccounts", """{"metadata":{"name":"user"}}""")).ShouldBe(201);
        (await _api.PostAsync($"{Rbac}/namespaces/{ns}/roles", $$$"""{"metadata":{"name":"r"},"rules":{{{rules}}} }""")).ShouldBe(201);
        (
            await _api.PostAsync(
                $"{Rbac}/namespaces/{ns}/rolebindings",
                """{"metadata":{"name":"b"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"r"}"""
                    + ""","subjects":[{"kind":"ServiceAccount","name":"user"}]}"""
            )
        ).ShouldBe(201);
        var token = (await _api.PostAsync($"/api/v1/namespaces/{ns}/serviceaccounts/user/token", "{}"))
            .ShouldBe(201)
            .TextAt("status.token")!;
        return (ns, token);
    }
}
