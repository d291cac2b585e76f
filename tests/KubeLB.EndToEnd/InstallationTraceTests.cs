using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KubeLB.Api.GatewayApi;
using KubeLB.EmbeddedCluster.Faults;
using KubeLB.EndToEnd.Support;
using KubeLB.Inspection.Access;
using KubeLB.Inspection.Tracing;
using KubeLB.TestClusters;
using KubeLB.TestClusters.Embedded;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd;

/// <summary>
/// What <c>kubelb trace</c> and <c>kubelb status</c> say about problems of an installation that docs/*/troubleshooting.md list. A case is
/// a command, and changes of one running system: either <c>live until TEXT</c>, made and reverted, or <c>recorded</c>, laid over the
/// objects that the commands read, where a controller would have to fail, or hours would have to pass.
/// </summary>
public sealed partial class InstallationTraceTests : IAsyncDisposable
{
    private static readonly GoldenFolder Cases = new("KubeLB.EndToEnd", "installation-traces", "installation-traces");
    private static readonly TraceTarget Example = new(HttpRoute.KindName, "default", "api-route");

    private readonly Dictionary<string, RawObjects> _objects = [];
    private SystemFixture _fixture = null!;
    private ClusterConnections _clusters = null!;
    private string _healthy = "";

    private async Task StartAsync()
    {
        _fixture = await SystemFixture.StartAsync(tenants: 2);
        _clusters = ClusterConnections.Open(
            _fixture.Sandbox.Tenants[0].Cluster.CreateClient("trace"),
            _fixture.Sandbox.Management.CreateClient("trace")
        );
        _objects["tenant"] = new RawObjects((ITestCluster)_fixture.Sandbox.Tenants[0].Cluster);
        _objects["other tenant"] = new RawObjects((ITestCluster)_fixture.Sandbox.Tenants[1].Cluster);
        _objects["management"] = new RawObjects((ITestCluster)_fixture.Sandbox.Management);
        await _fixture.ApplyBasicExampleAsync();
        await _fixture.WaitUntilIdleAsync();
        _healthy = await Eventually.GetAsync(
            "the installation is healthy",
            () => InspectionText.StatusAsync(_clusters),
            text => text.Contains(" 1/1, limit 10000 1/1, limit 100 3/3 ", StringComparison.Ordinal)
        );
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var objects in _objects.Values)
        {
            objects.Dispose();
        }

        if (_fixture is not null)
        {
            await _clusters!.DisposeAsync();
            await _fixture.DisposeAsync();
        }
    }

    [Fact]
    public async Task Commands_name_the_problem_of_the_installation_and_the_remedy()
    {
        Cases.CheckOrphans();
        await StartAsync();
        var failures = new List<string>();
        foreach (var name in Cases.Cases())
        {
            try
            {
                await CheckAsync(name);
            }
            catch (Exception e) when (e is TimeoutException or InvalidOperationException or Xunit.Sdk.IAssertionException)
            {
                failures.Add($"{name}: {e.Message}");
            }
        }

        failures.Should().BeEmpty();
    }

    [Fact]
    public void Recorded_conditions_have_messages_of_the_reference()
    {
        var messages = Message()
            .Matches(File.ReadAllText(Path.Combine(SourceTree.Root, "docs/reference/messages.md")))
            .Select(m => (Reason: m.Groups["reason"].Value, Text: Pattern(m.Groups["message"].Value)))
            .ToList();
        messages.Should().HaveCountGreaterThan(100);
        var recorded = Cases
            .Cases()
            .Where(name => Command().Match(Cases.Input(name)).Groups["until"].Success == false)
            .SelectMany(name => Yaml.Read(Cases.Input(name)))
            .SelectMany(Conditions)
            // The definition of Gateway API sets the other message.
            .Where(c => c["message"] is { } message && message.GetValue<string>() != "Waiting for controller")
            .ToList();
        recorded.Should().NotBeEmpty();
        foreach (var condition in recorded)
        {
            var (reason, message) = (condition["reason"]!.GetValue<string>(), condition["message"]!.GetValue<string>());
            messages.Exists(m => m.Reason == reason && Regex.IsMatch(message, m.Text)).Should().BeTrue($"{reason}: {message}");
        }
    }

    // Numbers and times of the reference are examples.
    private static string Pattern(string message) =>
        "^"
        + Value()
            .Replace(
                Regex.Escape(message.Replace("&lt;", "<", StringComparison.Ordinal).Replace("\\|", "|", StringComparison.Ordinal)),
                ".+"
            )
        + "$";

    private static IEnumerable<JsonObject> Conditions(JsonNode? node) =>
        node switch
        {
            JsonObject json => (json["conditions"] as JsonArray ?? [])
                .Select(c => c!.AsObject())
                .Concat(json.Where(p => p.Key != "conditions").SelectMany(p => Conditions(p.Value))),
            JsonArray array => array.SelectMany(Conditions),
            _ => [],
        };

    private async Task CheckAsync(string name)
    {
        var text = Cases.Input(name);
        var command = Command().Match(text);
        command.Success.Should().BeTrue($"{name} begins with its command");
        var changes = Yaml.Read(text);
        if (command.Groups["until"] is { Success: true, Value: var until })
        {
            await CheckLiveAsync(name, command, until, changes);
        }
        else
        {
            Cases.Check(name, await PrintAsync(command, changes));
        }
    }

    private async Task CheckLiveAsync(string name, Match command, string until, IReadOnlyList<JsonObject> changes)
    {
        var undo = new Stack<Func<Task>>();
        try
        {
            foreach (var change in changes)
            {
                undo.Push(await ApplyAsync(change));
            }

            var printed = await Eventually.GetAsync(
                $"{name} prints \"{until}\"",
                () => PrintAsync(command, []),
                text => text.Contains(until, StringComparison.Ordinal)
            );
            // Other hops follow.
            if (Cases.Output(name) is { Length: > 0 } expected && !GoldenFolder.Update)
            {
                printed = await Eventually.GetAsync(
                    $"{name} prints its golden file",
                    () => PrintAsync(command, []),
                    text => text == expected
                );
            }
            else
            {
                await _fixture.WaitUntilIdleAsync();
                printed = await PrintAsync(command, []);
            }

            Cases.Check(name, printed);
        }
        finally
        {
            while (undo.TryPop(out var revert))
            {
                await revert();
            }
        }

        await Eventually.GetAsync(
            $"the system recovers from {name}",
            () => InspectionText.TraceAsync(_clusters, Example),
            traces => traces.All(t => t is { Break: null, Warning: null }),
            traces => string.Join("; ", traces.Select(t => t.Break?.Message ?? t.Warning?.Message))
        );
        await Eventually.GetAsync(
            $"the installation recovers from {name}",
            () => InspectionText.StatusAsync(_clusters),
            text => text == _healthy
        );
    }

    private async Task<string> PrintAsync(Match command, IReadOnlyList<JsonObject> changes)
    {
        IObjects Patched(string cluster, IObjects objects) =>
            changes.Where(c => c["cluster"]!.GetValue<string>() == cluster).Select(WithoutCluster).ToList() is { Count: > 0 } own
                ? new PatchedObjects(objects, own)
                : objects;

        if (!command.Groups["object"].Success)
        {
            return await InspectionText.StatusAsync(_clusters, m => Patched("management", m));
        }

        var target = TraceTarget.Parse(command.Groups["object"].Value, command.Groups["namespace"].Value, out _)!;
        return await InspectionText.OfAsync(
            await InspectionText.TraceAsync(_clusters, target, t => Patched("tenant", t), m => Patched("management", m))
        );
    }

    // Makes a change and returns how to revert it.
    private async Task<Func<Task>> ApplyAsync(JsonObject change)
    {
        var cluster = change["cluster"]!.GetValue<string>();
        var objects = _objects[cluster];
        if (change["fault"] is JsonObject fault)
        {
            Assert.SkipUnless(TestClusters.TestClusters.IsEmbedded, "only embedded clusters can reject requests on demand");
            var server = (
                (EmbeddedTestCluster)(cluster == "tenant" ? _fixture.Sandbox.Tenants[0].Cluster : _fixture.Sandbox.Management)
            ).Server;
            var (resource, agent) = (fault["resource"]!.GetValue<string>(), fault["client"]!.GetValue<string>());
            var rule = server.Faults.Add(
                new FaultRule
                {
                    Matches = r => r.IsWrite && r.Resource == resource && r.UserAgent.StartsWith(agent, StringComparison.Ordinal),
                    StatusCode = (int)fault["status"]!.GetValue<long>(),
                    Message = fault["message"]!.GetValue<string>(),
                    Times = null,
                }
            );
            return () =>
            {
                rule.Dispose();
                return Task.CompletedTask;
            };
        }

        var value = WithoutCluster(change);
        var kind = value["kind"]!.GetValue<string>();
        if (value["apiVersion"] is not null)
        {
            var status = value["status"]?.DeepClone();
            value.Remove("status");
            await objects.CreateAsync(value);
            if (status is not null)
            {
                await objects.PatchAsync(
                    kind,
                    RawObjects.NamespaceOf(value),
                    RawObjects.NameOf(value),
                    new JsonObject { ["status"] = status },
                    "status"
                );
            }

            return () => objects.DeleteAsync(kind, RawObjects.NamespaceOf(value), RawObjects.NameOf(value));
        }

        var (@namespace, name) = (value["namespace"]?.GetValue<string>() ?? "", value["name"]!.GetValue<string>());
        var patch = value["patch"]!.AsObject();
        var before = (await objects.GetAsync(kind, @namespace, name))!;
        await objects.PatchAsync(kind, @namespace, name, patch.DeepClone().AsObject());
        return () => objects.PatchAsync(kind, @namespace, name, Inverse(before, patch));
    }

    private static JsonObject Inverse(JsonObject? before, JsonObject patch) =>
        new(
            patch.Select(p =>
                KeyValuePair.Create(
                    p.Key,
                    p.Value is JsonObject fields && before?[p.Key] is JsonObject old ? Inverse(old, fields) : before?[p.Key]?.DeepClone()
                )
            )
        );

    private static JsonObject WithoutCluster(JsonObject change)
    {
        var value = change.DeepClone().AsObject();
        value.Remove("cluster");
        return value;
    }

    [GeneratedRegex(
        @"\A# (trace (?<object>\S+) -n (?<namespace>\S+)|status)\n# (recorded|live until (?<until>.+))\n",
        RegexOptions.ExplicitCapture
    )]
    private static partial Regex Command();

    [GeneratedRegex(
        @"^\| `(?<reason>\w+)` \| [^|]* \| (?<message>.*?) \| [^|]*\|[^|]*\|$",
        RegexOptions.ExplicitCapture | RegexOptions.Multiline
    )]
    private static partial Regex Message();

    [GeneratedRegex("<[^>]+>|[0-9]+", RegexOptions.ExplicitCapture)]
    private static partial Regex Value();
}
