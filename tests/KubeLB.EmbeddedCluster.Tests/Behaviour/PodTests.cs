using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Tests.Support;

namespace KubeLB.EmbeddedCluster.Tests.Behaviour;

/// <summary>Graceful deletion and logs of running pods.</summary>
public sealed class PodTests : IAsyncLifetime
{
    private const string Pods = "/api/v1/namespaces/default/pods";

    private EmbeddedCluster _cluster = null!;
    private Api _api = null!;
    private PodLogRequest? _asked;

    public async ValueTask InitializeAsync()
    {
        _cluster = await EmbeddedCluster.StartAsync(
            new EmbeddedClusterOptions
            {
                PodLogs = Read,
                PodConnectionError = "no containers here",
                Warnings = Warn,
            }
        );
        _api = new Api(_cluster);
    }

    public async ValueTask DisposeAsync()
    {
        _api.Dispose();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Deleted_pod_with_node_is_kept_until_the_final_delete()
    {
        await CreateAsync("bound", "\"nodeName\":\"n\",\"terminationGracePeriodSeconds\":40,");

        (await _api.DeleteAsync($"{Pods}/bound")).ShouldBe(200).TextAt("metadata.deletionGracePeriodSeconds").Should().Be("40");
        var deadline = (await _api.GetAsync($"{Pods}/bound")).ShouldBe(200).TextAt("metadata.deletionTimestamp");
        (await _api.DeleteAsync($"{Pods}/bound", """{"gracePeriodSeconds":60}"""))
            .ShouldBe(200)
            .TextAt("metadata.deletionTimestamp")
            .Should()
            .Be(deadline, "the deadline is not extended");
        (await _api.MergeAsync($"{Pods}/bound/status", """{"status":{"phase":"Running"}}"""))
            .ShouldBe(200)
            .TextAt("status.phase")
            .Should()
            .Be("Running");
        (await _api.DeleteAsync($"{Pods}/bound", """{"gracePeriodSeconds":5}"""))
            .ShouldBe(200)
            .TextAt("metadata.deletionGracePeriodSeconds")
            .Should()
            .Be("5");

        (await _api.DeleteAsync($"{Pods}/bound", """{"gracePeriodSeconds":0}""")).ShouldBe(200);
        (await _api.GetAsync($"{Pods}/bound")).ShouldBe(404);
    }

    [Fact]
    public async Task Deleted_pod_without_node_is_removed_immediately()
    {
        await CreateAsync("free", "");

        (await _api.DeleteAsync($"{Pods}/free")).ShouldBe(200);

        (await _api.GetAsync($"{Pods}/free")).ShouldBe(404);
    }

    [Fact]
    public async Task Logs_are_read_from_the_source()
    {
        await CreateAsync("talker", "");

        (await _api.GetAsync($"{Pods}/talker/log?tailLines=7&follow=true&sinceTime=2026-01-01T00:00:00Z"))
            .ShouldBe(200)
            .Text.Should()
            .Be("one\ntwo\n");
        _asked
            .Should()
            .Match<PodLogRequest>(r =>
                r.Container == "main" && r.TailLines == 7 && r.Follow && r.Since == DateTimeOffset.Parse("2026-01-01T00:00:00Z")
            );
        (await _api.GetAsync($"{Pods}/talker/log?limitBytes=5&timestamps=false")).ShouldBe(200).Text.Should().Be("one\nt");
        (await _api.GetAsync($"{Pods}/talker/log?timestamps=true"))
            .ShouldBe(200)
            .Text.Should()
            .StartWith("1970-01-01T00:00:00.0000000Z one\n");
        (await _api.GetAsync($"{Pods}/talker/log?container=other"))
            .ShouldBe(400)
            .Message.Should()
            .Be("container other is not valid for pod talker");
        (await _api.GetAsync($"{Pods}/talker/log?tailLines=x")).ShouldBe(400).Message.Should().Contain("tailLines");
        (await _api.GetAsync($"{Pods}/nobody/log")).ShouldBe(404);
    }

    [Fact]
    public async Task Missing_logs_return_the_error_of_the_source()
    {
        await CreateAsync("silent", "");

        (await _api.GetAsync($"{Pods}/silent/log")).ShouldBe(400).Message.Should().Be("nothing here");
    }

    [Theory]
    [InlineData("exec?command=sh")]
    [InlineData("attach")]
    [InlineData("portforward?ports=80")]
    public async Task Connections_to_pods_return_the_error_of_the_options(string path)
    {
        await CreateAsync($"target-{path[..4]}", "");

        (await _api.PostAsync($"{Pods}/target-{path[..4]}/{path}", "{}")).ShouldBe(400).Message.Should().Be("no containers here");
        (await _api.GetAsync($"{Pods}/target-{path[..4]}/{path}")).ShouldBe(400).Message.Should().Be("no containers here");
        (await _api.PostAsync($"{Pods}/nobody/{path}", "{}")).ShouldBe(404);
    }

    [Fact]
    public async Task Warnings_of_the_options_are_returned_for_writes_of_objects()
    {
        var created = await _api.PostAsync(Pods, """{"metadata":{"name":"w"},"spec":{"containers":[{"name":"main","image":"i"}]}}""");
        created.ShouldBe(201).Headers.GetValues("Warning").Should().Equal("299 - \"a Pod w with 1 container\"");
        (await _api.MergeAsync($"{Pods}/w", """{"metadata":{"labels":{"a":"b"}}}"""))
            .ShouldBe(200)
            .Headers.GetValues("Warning")
            .Should()
            .ContainSingle();
        (await _api.MergeAsync($"{Pods}/w/status", """{"status":{"phase":"Running"}}"""))
            .ShouldBe(200)
            .Headers.Contains("Warning")
            .Should()
            .BeFalse();
    }

    [Fact]
    public async Task Logs_need_permission_for_the_subresource()
    {
        await CreateAsync("secretive", "");
        (await _api.PostAsync("/api/v1/namespaces/default/serviceaccounts", """{"metadata":{"name":"user"}}""")).ShouldBe(201);
        (
            await _api.PostAsync(
                "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles",
                """{"metadata":{"name":"pods"},"rules":[{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}]}"""
            )
        ).ShouldBe(201);
        (
            await _api.PostAsync(
                "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
                """{"metadata":{"name":"pods"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"pods"}"""
                    + ""","subjects":[{"kind":"ServiceAccount","name":"user","namespace":"default"}]}"""
            )
        ).ShouldBe(201);
        var token = (await _api.PostAsync("/api/v1/namespaces/default/serviceaccounts/user/token", """{"spec":{}}"""))
            .ShouldBe(201)
            .TextAt("status.token");
        using var user = new Api(_cluster, token);

        (await user.GetAsync($"{Pods}/secretive")).ShouldBe(200);
        (await user.GetAsync($"{Pods}/secretive/log")).ShouldBe(403).Message.Should().Contain("cannot get resource \"pods/log\"");
    }

    private static IEnumerable<string> Warn(string kind, JsonObject content) =>
        (string?)content["metadata"]!["name"] == "w"
            ? [$"a {kind} w with {content["spec"]!["containers"]!.AsArray().Count} container"]
            : [];

    private async IAsyncEnumerable<PodLogLine> Read(
        PodLogRequest request,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        _asked = request;
        if (request.Pod == "silent")
        {
            throw new PodLogException("nothing here");
        }
        yield return new PodLogLine(DateTimeOffset.UnixEpoch, "one");
        await Task.Yield();
        yield return new PodLogLine(DateTimeOffset.UnixEpoch, "two");
    }

    private async Task CreateAsync(string name, string spec) =>
        (
            await _api.PostAsync(
                Pods,
                $$$"""{"metadata":{"name":"{{{name}}}"},"spec":{ {{{spec}}}"containers":[{"name":"main","image":"i"}] } }"""
            )
        ).ShouldBe(201);
}
