using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tests.Fakes;
using KubeLB.Tests.Shared;

namespace KubeLB.Runtime.Tests.Applying;

public sealed class ApplierTests : IAsyncLifetime
{
    private static readonly ResourceKey Key = new("default", "w");

    private readonly FakeApiServer _server = new();
    private TestHost _host = null!;

    private JsonObject Live => _server.Widgets(c => (JsonObject)c.Objects[Key].DeepClone());

    private JsonObject LastPatch => (JsonObject)JsonNode.Parse(_server.Writes.Last(r => r.Method == HttpMethod.Patch).Body)!;

    public async ValueTask InitializeAsync() => _host = await TestHost.StartSyncedAsync(_server);

    public async ValueTask DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Missing_object_is_created_and_cached_at_once()
    {
        var desired = Widget.Named("w", colour: "red");
        desired.Status = new WidgetStatus { Phase = "never sent" };
        desired.Metadata.ResourceVersion = "77";
        desired.Metadata.Labels = new Dictionary<string, string> { ["app"] = "x" };
        var applied = await Apply(desired);

        applied.Outcome.Should().Be(ApplyOutcome.Created);
        _host.Widgets.Get(Key)!.Metadata.Uid.Should().Be(applied.Object.Metadata.Uid);
        var sent = JsonNode.Parse(_server.Writes.Single().Body)!;
        sent["kind"]!.ToString().Should().Be("Widget");
        sent["status"].Should().BeNull();
        sent["metadata"]!["resourceVersion"].Should().BeNull();
        Live["metadata"]!["labels"]!["app"]!.ToString().Should().Be("x");
    }

    [Fact]
    public async Task Object_with_server_defaults_is_unchanged()
    {
        _server.Widgets(c =>
            c.Default = obj =>
            {
                obj["spec"]!["protocol"] ??= "TCP";
                foreach (var port in (obj["spec"]!["ports"] as JsonArray) ?? [])
                {
                    port!["mode"] ??= "fast";
                }
            }
        );
        var desired = () =>
        {
            var widget = Widget.Named("w", colour: "red");
            widget.Spec!.Ports = [new WidgetPort { Port = 80 }];
            return widget;
        };
        await Apply(desired());
        (await Apply(desired())).Outcome.Should().Be(ApplyOutcome.Unchanged);
        await Restart();
        (await Apply(desired())).Outcome.Should().Be(ApplyOutcome.Unchanged, "a new process reads the record from the annotation");
        (await Apply(desired())).Outcome.Should().Be(ApplyOutcome.Unchanged);
        _server.Writes.Should().ContainSingle();
    }

    [Fact]
    public async Task Normalized_value_is_not_sent_repeatedly()
    {
        _server.Widgets(c => c.Default = obj => obj["spec"]!["colour"] = obj["spec"]!["colour"]!.ToString().ToUpperInvariant());
        await Apply(Widget.Named("w", colour: "red"));
        (await Apply(Widget.Named("w", colour: "red"))).Outcome.Should().Be(ApplyOutcome.Unchanged);
        await Restart();
        (await Apply(Widget.Named("w", colour: "red")))
            .Outcome.Should()
            .Be(ApplyOutcome.Patched, "a new process has no hash and sends it once");
        (await Apply(Widget.Named("w", colour: "red"))).Outcome.Should().Be(ApplyOutcome.Unchanged);
    }

    [Fact]
    public async Task Patch_contains_only_the_difference()
    {
        await Apply(Widget.Named("w", colour: "red", size: 1));
        var applied = await Apply(Widget.Named("w", colour: "blue", size: 1));
        applied.Outcome.Should().Be(ApplyOutcome.Patched);
        LastPatch["spec"]!.ToJsonString().Should().Be("""{"colour":"blue"}""");
        _server.Writes.Last().ContentType.Should().Be("application/merge-patch+json");
        _host.Widgets.Get(Key)!.Spec!.Colour.Should().Be("blue");
    }

    [Theory]
    [InlineData(ApplyMode.Exclusive, false)]
    [InlineData(ApplyMode.Exclusive, true)]
    [InlineData(ApplyMode.Subset, false)]
    [InlineData(ApplyMode.Subset, true)]
    public async Task Field_label_or_annotation_no_longer_desired_is_removed(ApplyMode mode, bool restart)
    {
        var full = Widget.Named("w", colour: "red", size: 1);
        full.Spec!.Selector = new Dictionary<string, string> { ["app"] = "x", ["tier"] = "y" };
        full.Metadata.Labels = new Dictionary<string, string> { ["keep"] = "1", ["drop"] = "1" };
        full.Metadata.Annotations = new Dictionary<string, string> { ["example.com/drop"] = "1" };
        await Apply(full, mode);
        if (restart)
        {
            await Restart();
        }

        var less = Widget.Named("w", colour: "red");
        less.Spec!.Selector = new Dictionary<string, string> { ["app"] = "x" };
        less.Metadata.Labels = new Dictionary<string, string> { ["keep"] = "1" };
        await Apply(less, mode);
        Live["spec"]!.ToJsonString().Should().Be("""{"colour":"red","selector":{"app":"x"}}""");
        Live["metadata"]!["labels"]!.ToJsonString().Should().Be("""{"keep":"1"}""");
        Live["metadata"]!["annotations"]!.AsObject().Select(a => a.Key).Should().Equal("example.com/applied");
        (await Apply(less, mode)).Outcome.Should().Be(ApplyOutcome.Unchanged);
    }

    [Fact]
    public async Task Section_no_longer_desired_is_removed()
    {
        await Apply(Widget.Named("w", colour: "red"));
        await Apply(
            new Widget
            {
                Metadata = new V1ObjectMeta { Name = "w", NamespaceProperty = "default" },
            }
        );
        Live.ContainsKey("spec").Should().BeFalse();
    }

    [Fact]
    public async Task Metadata_and_status_of_other_writers_are_kept()
    {
        var desired = Widget.Named("w", colour: "red");
        desired.Metadata.Labels = new Dictionary<string, string> { ["ours"] = "1" };
        await Apply(desired);
        await Foreign(
            """{"metadata":{"labels":{"theirs":"2"},"annotations":{"their/note":"3"},"finalizers":["their/finalizer"]}"""
                + ""","status":{"phase":"Ready"}}"""
        );
        (await Apply(desired)).Outcome.Should().Be(ApplyOutcome.Unchanged);

        desired.Spec!.Colour = "blue";
        desired.Metadata.Labels["ours"] = "4";
        await Apply(desired);
        Live["metadata"]!["labels"]!.ToJsonString().Should().Be("""{"ours":"4","theirs":"2"}""");
        Live["metadata"]!["annotations"]!["their/note"]!.ToString().Should().Be("3");
        Live["metadata"]!["finalizers"]!.AsArray().Should().ContainSingle();
        Live["status"]!["phase"]!.ToString().Should().Be("Ready");
    }

    [Theory]
    [InlineData(ApplyMode.Exclusive)]
    [InlineData(ApplyMode.Subset)]
    public async Task Externally_changed_value_is_reverted(ApplyMode mode)
    {
        var desired = Widget.Named("w", colour: "red");
        desired.Metadata.Labels = new Dictionary<string, string> { ["ours"] = "1" };
        await Apply(desired, mode);
        await Foreign("""{"metadata":{"labels":{"ours":null}},"spec":{"colour":"black"}}""");
        await Apply(desired, mode);
        Live["spec"]!["colour"]!.ToString().Should().Be("red");
        Live["metadata"]!["labels"]!["ours"]!.ToString().Should().Be("1");
        (await Apply(desired, mode)).Outcome.Should().Be(ApplyOutcome.Unchanged);
    }

    [Fact]
    public async Task Externally_added_field_is_removed_in_exclusive_mode_only()
    {
        await Apply(Widget.Named("w", colour: "red"));
        await Foreign("""{"spec":{"nodePort":30001}}""");
        (await Apply(Widget.Named("w", colour: "red"), ApplyMode.Subset)).Outcome.Should().Be(ApplyOutcome.Unchanged);
        Live["spec"]!["nodePort"]!.GetValue<int>().Should().Be(30001);

        await Foreign("""{"spec":{"nodePort":30002}}""");
        (await Apply(Widget.Named("w", colour: "red"))).Outcome.Should().Be(ApplyOutcome.Patched);
        Live["spec"]!.ToJsonString().Should().Be("""{"colour":"red"}""");
    }

    [Fact]
    public async Task List_with_server_defaults_is_not_replaced_in_subset_mode()
    {
        _server.Widgets(c => c.Default = obj => obj["spec"]!["ports"]![0]!["nodePort"] ??= 30001);
        var desired = Widget.Named("w", colour: "red");
        desired.Spec!.Ports = [new WidgetPort { Port = 80 }];
        await Apply(desired, ApplyMode.Subset);
        desired.Spec.Colour = "blue";
        await Apply(desired, ApplyMode.Subset);
        LastPatch["spec"]!.ToJsonString().Should().Be("""{"colour":"blue"}""");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task List_entry_field_no_longer_desired_is_removed_in_subset_mode(bool restart)
    {
        var full = Widget.Named("w", colour: "red");
        full.Spec!.Ports =
        [
            new WidgetPort
            {
                Port = 80,
                Unknown = new Dictionary<string, JsonElement> { ["name"] = JsonSerializer.SerializeToElement("http") },
            },
        ];
        await Apply(full, ApplyMode.Subset);
        if (restart)
        {
            await Restart();
        }

        var less = Widget.Named("w", colour: "red");
        less.Spec!.Ports = [new WidgetPort { Port = 80 }];
        await Apply(less, ApplyMode.Subset);
        Live["spec"]!["ports"]!.ToJsonString().Should().Be("""[{"port":80}]""");
        (await Apply(less, ApplyMode.Subset)).Outcome.Should().Be(ApplyOutcome.Unchanged);
    }

    [Fact]
    public async Task Owners_and_finalizers_are_added_with_a_guard()
    {
        await Apply(Widget.Named("w", colour: "red"));
        await Foreign(
            """{"metadata":{"finalizers":["their/f"],"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p","uid":"u1"}]}}"""
        );
        var desired = Widget.Named("w", colour: "red");
        desired.Metadata.Finalizers = ["our/f"];
        desired.Metadata.OwnerReferences =
        [
            new V1OwnerReference
            {
                ApiVersion = "v1",
                Kind = "Service",
                Name = "s",
                Uid = "u2",
                Controller = true,
            },
        ];
        await Apply(desired);
        Live["metadata"]!["finalizers"]!.ToJsonString().Should().Be("""["their/f","our/f"]""");
        Live["metadata"]!["ownerReferences"]!.AsArray().Select(o => o!["uid"]!.ToString()).Should().Equal("u1", "u2");
        LastPatch["metadata"]!["resourceVersion"].Should().NotBeNull();
        (await Apply(desired)).Outcome.Should().Be(ApplyOutcome.Unchanged);
    }

    [Fact]
    public async Task Uncached_existing_object_is_reported_as_stale_and_cached()
    {
        _server.Intercept = r => r.Method == HttpMethod.Post ? FakeApiServer.Error(409, "AlreadyExists", "w exists") : null;
        _server.Widgets(c =>
            c.Objects[Key] = (JsonObject)
                JsonNode.Parse(
                    """{"metadata":{"name":"w","namespace":"default","uid":"u","resourceVersion":"90"},"spec":{"colour":"theirs"}}"""
                )!
        );
        var apply = () => Apply(Widget.Named("w", colour: "red"));
        await apply.Should().ThrowAsync<StaleCacheException>().WithMessage("*default/w already exists*");
        _host.Widgets.Get(Key)!.Spec!.Colour.Should().Be("theirs");
    }

    [Fact]
    public async Task Cached_object_that_was_deleted_is_reported_as_stale()
    {
        await Apply(Widget.Named("w", colour: "red"));
        _server.Widgets(c => c.Vanish(Key));
        var apply = () => Apply(Widget.Named("w", colour: "blue"));
        await apply.Should().ThrowAsync<StaleCacheException>().WithMessage("*no longer exists*");
    }

    [Fact]
    public async Task Invalid_record_annotation_is_ignored_and_rewritten()
    {
        await Apply(Widget.Named("w", colour: "red"));
        await Foreign("""{"metadata":{"annotations":{"example.com/applied":"{oops"}}}""");
        (await Apply(Widget.Named("w", colour: "red"))).Outcome.Should().Be(ApplyOutcome.Patched);
        LastPatch.ContainsKey("spec").Should().BeFalse();
        (await Apply(Widget.Named("w", colour: "red"))).Outcome.Should().Be(ApplyOutcome.Unchanged);
    }

    [Fact]
    public async Task Existing_object_is_adopted_with_only_differences_patched()
    {
        _server.PutWidget("w", """{"metadata":{"labels":{"theirs":"1"}},"spec":{"colour":"red","extra":true}}""");
        await Eventually.HoldsAsync(() => _host.Widgets.Get(Key) is not null, "the cache has it");
        await Apply(Widget.Named("w", colour: "red"), ApplyMode.Subset);
        LastPatch.Select(f => f.Key).Should().Equal("metadata");
        Live["spec"]!["extra"]!.GetValue<bool>().Should().BeTrue();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Skipped_field_is_kept_until_it_is_applied(bool restart)
    {
        await Apply(WithSelector("red", ("app", "x"), ("tier", "y")), ApplyMode.Subset);
        await Foreign("""{"spec":{"selector":{"theirs":"1"}}}""");

        var desired = WithSelector("blue", ("app", "z"));
        _host.Applier.WouldChange(_host.Cluster, desired, "spec.selector").Should().BeTrue();
        (await Except(desired)).Outcome.Should().Be(ApplyOutcome.Patched);
        LastPatch["spec"]!.ToJsonString().Should().Be("""{"colour":"blue"}""");
        (await Except(desired)).Outcome.Should().Be(ApplyOutcome.Unchanged);
        await Foreign("""{"spec":{"colour":"black"}}""");
        (await Except(desired)).Outcome.Should().Be(ApplyOutcome.Patched);
        if (restart)
        {
            await Restart();
        }

        (await Except(desired)).Outcome.Should().Be(ApplyOutcome.Unchanged);
        _host.Applier.WouldChange(_host.Cluster, desired, "spec.selector").Should().BeTrue();
        await Apply(desired, ApplyMode.Subset);
        JsonNode.DeepEquals(Live["spec"]!["selector"], JsonNode.Parse("""{"app":"z","theirs":"1"}""")).Should().BeTrue();
        Live["spec"]!["colour"]!.ToString().Should().Be("blue");
        _host.Applier.WouldChange(_host.Cluster, desired, "spec.selector").Should().BeFalse();
        (await Apply(desired, ApplyMode.Subset)).Outcome.Should().Be(ApplyOutcome.Unchanged);
    }

    [Fact]
    public async Task WouldChange_reports_only_changes_of_the_field()
    {
        var desired = WithSelector("red", ("app", "x"));
        _host.Applier.WouldChange(_host.Cluster, desired, "spec.selector").Should().BeFalse("it is not there");
        (await Except(desired)).Outcome.Should().Be(ApplyOutcome.Created);
        Live["spec"]!["selector"]!["app"]!.ToString().Should().Be("x", "a new object is written whole");

        var writes = _server.Writes.Count();
        _host.Applier.WouldChange(_host.Cluster, WithSelector("blue", ("app", "x")), "spec.selector").Should().BeFalse();
        await Foreign("""{"spec":{"selector":{"app":"y"}}}""");
        _host.Applier.WouldChange(_host.Cluster, desired, "spec.selector").Should().BeTrue();
        _server.Writes.Should().HaveCount(writes);
    }

    private static Widget WithSelector(string colour, params (string Key, string Value)[] selector)
    {
        var widget = Widget.Named("w", colour: colour);
        widget.Spec!.Selector = selector.ToDictionary(s => s.Key, s => s.Value);
        return widget;
    }

    private Task<Applied<Widget>> Except(Widget desired) =>
        _host.Applier.ApplyExceptAsync(_host.Cluster, desired, "spec.selector", default);

    private Task<Applied<Widget>> Apply(Widget desired, ApplyMode mode = ApplyMode.Exclusive) =>
        _host.Applier.ApplyAsync(_host.Cluster, desired, mode, default);

    /// <summary>Patches the object externally; returns when the cache contains the change.</summary>
    private async Task Foreign(string patch)
    {
        var after = _server.Widgets(c => c.Patch(Key, (JsonObject)JsonNode.Parse(patch)!, false));
        if (((JsonObject)JsonNode.Parse(patch)!)["status"] is { } status)
        {
            after = _server.Widgets(c => c.Patch(Key, new JsonObject { ["status"] = status.DeepClone() }, true));
        }

        var version = after["metadata"]!["resourceVersion"]!.ToString();
        await Eventually.HoldsAsync(() => _host.Widgets.Get(Key)?.Metadata.ResourceVersion == version, "the cache shows the change");
    }

    private async Task Restart()
    {
        await _host.DisposeAsync();
        _host = await TestHost.StartSyncedAsync(_server);
    }
}
