using k8s.Models;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tests.Fakes;

namespace KubeLB.Runtime.Tests.Storing;

public sealed class ObjectStoreTests
{
    private static readonly ResourceKey Key = new("default", "w");

    private readonly List<string> _changes = [];
    private readonly ObjectStore<Widget> _store = new(
        new Dictionary<string, Func<Widget, IEnumerable<string>>>(),
        (_, _, e) => throw e,
        e => throw e,
        _ => { }
    );

    public ObjectStoreTests() =>
        _store.Subscribe(change =>
            _changes.Add($"{change.Old?.Metadata.ResourceVersion ?? "-"}>{change.New?.Metadata.ResourceVersion ?? "-"}")
        );

    private string? Stored => _store.Get(Key)?.Metadata.ResourceVersion;

    [Fact]
    public void Later_version_wins_in_any_order()
    {
        _store.Upsert(At("9"));
        _store.Upsert(At("10"));
        _store.Upsert(At("9"));
        _store.Upsert(At("10"));
        Stored.Should().Be("10", "versions are numbers, not text");
        _changes.Should().Equal("->9", "9>10");
    }

    [Fact]
    public void Listed_objects_are_dispatched_by_age_and_name()
    {
        var names = new List<string>();
        _store.Subscribe(change => names.Add(change.Key.ToString()));
        Widget Created(int second, string @namespace, string name) =>
            new()
            {
                Metadata = new V1ObjectMeta
                {
                    Name = name,
                    NamespaceProperty = @namespace,
                    Uid = $"{@namespace}-{name}",
                    ResourceVersion = "1",
                    CreationTimestamp = new DateTime(2026, 1, 1, 0, 0, second, DateTimeKind.Utc),
                },
            };

        _store.Replace(
            [Created(2, "a", "young"), Created(1, "b", "same"), Created(1, "a", "b"), Created(0, "z", "oldest"), Created(1, "a", "a")],
            "1",
            new HashSet<ResourceKey>()
        );

        names.Should().Equal("z/oldest", "a/a", "a/b", "b/same", "a/young");
    }

    [Fact]
    public void Response_from_before_a_deletion_is_ignored()
    {
        _store.Upsert(At("5"));
        _store.Delete(At("8"));
        _store.Upsert(At("7"));
        Stored.Should().BeNull();
        _store.Upsert(At("9"));
        Stored.Should().Be("9", "it was created again");
        _changes.Should().Equal("->5", "5>-", "->9");
    }

    [Fact]
    public void Deletion_of_an_earlier_uid_keeps_the_recreated_object()
    {
        _store.Upsert(At("5", "one"));
        _store.Upsert(At("9", "two"));
        _store.Delete(At("8", "one"));
        Stored.Should().Be("9");
        _changes.Should().Equal("->5", "5>-", "->9");
    }

    [Fact]
    public void Own_deletion_ignores_late_watch_events()
    {
        _store.Upsert(At("5", "one"));
        _store.DeleteOwn(At("5", "one"));
        Stored.Should().BeNull();
        _store.Upsert(At("6", "one"));
        Stored.Should().BeNull("the event of an external change before the deletion came late");
        _store.Upsert(At("8", "two"));
        Stored.Should().Be("8");
    }

    [Fact]
    public void Own_deletion_keeps_a_recreated_object()
    {
        _store.Upsert(At("8", "two"));
        _store.DeleteOwn(At("5", "one"));
        Stored.Should().Be("8");
    }

    [Fact]
    public void List_replaces_everything_except_later_own_writes()
    {
        _store.Upsert(At("5"));
        _store.Upsert(At("6", name: "gone"));
        _store.BeginList();
        _store.UpsertOwn(At("30", name: "ours"));
        _store.Upsert(At("7", name: "unreadable"));
        _changes.Clear();
        _store.Replace([At("20")], "25", new HashSet<ResourceKey> { new("default", "unreadable") });
        _store.List().Select(w => w.Metadata.Name).Should().BeEquivalentTo("w", "ours", "unreadable");
        _changes.Should().BeEquivalentTo("5>20", "6>-");

        _store.Upsert(At("24", name: "gone"));
        _store.Get(new ResourceKey("default", "gone")).Should().BeNull("as of version 25 it was gone");
        _store.BeginList();
        _store.UpsertOwn(At("30", name: "ours"));
        _store.Replace([At("20"), At("20", name: "ours")], "29", new HashSet<ResourceKey>());
        _store.Get(new ResourceKey("default", "ours"))!.Metadata.ResourceVersion.Should().Be("30");
    }

    [Fact]
    public void List_with_earlier_version_replaces_later_objects()
    {
        _store.Upsert(At("50"));
        _store.Upsert(At("51", "two", "recreated"));
        _store.Upsert(At("52", name: "created-later"));
        _store.DeleteOwn(At("40", name: "deleted-later"));
        _changes.Clear();
        _store.BeginList();
        _store.Replace([At("7"), At("8", "one", "recreated"), At("9", name: "deleted-later")], "10", new HashSet<ResourceKey>());
        _store.List().Select(w => w.Metadata.ResourceVersion).Should().BeEquivalentTo("7", "8", "9");
        _changes.Should().BeEquivalentTo("50>7", "51>-", "->8", "->9", "52>-");
        _store.Removals.Should().Be(2);
    }

    [Fact]
    public void Own_deletion_after_the_list_request_is_kept()
    {
        _store.Upsert(At("5"));
        _store.BeginList();
        _store.DeleteOwn(At("5"));
        _store.UpsertOwn(At("6"));
        _store.Replace([At("5")], "9", new HashSet<ResourceKey>());
        Stored.Should().BeNull("the list was read before the deletion, and the answer to a write is older than it, too");
        _store.Upsert(At("7"));
        Stored.Should().BeNull();
    }

    [Fact]
    public void Own_creation_after_the_list_request_is_kept()
    {
        _store.BeginList();
        _store.DeleteOwn(At("5", "one"));
        _store.UpsertOwn(At("12", "two"));
        _store.Replace([At("5", "one")], "9", new HashSet<ResourceKey>());
        Stored.Should().Be("12");
    }

    [Fact]
    public void Equal_versions_after_a_restore_are_compared_by_content()
    {
        _store.Upsert(At("5"));
        var other = At("5");
        other.Spec = new WidgetSpec { Colour = "red" };
        _changes.Clear();
        _store.Replace([other], "9", new HashSet<ResourceKey>());
        _changes.Should().BeEmpty();
        _store.Replace([At("5")], "9", new HashSet<ResourceKey>(), compare: true);
        _changes.Should().BeEmpty();
        _store.Replace([other], "9", new HashSet<ResourceKey>(), compare: true);
        _changes.Should().Equal("5>5");
        _store.Get(Key)!.Spec!.Colour.Should().Be("red");
    }

    [Fact]
    public void Conflicting_response_is_stored()
    {
        var seen = At("50");
        _store.Upsert(seen);
        ApplyResponse(Key, seen, At("7")).Should().BeTrue("a patched object is never older than before");
        Stored.Should().Be("7");
        ApplyResponse(Key, _store.Get(Key), null).Should().BeTrue("it is gone");
        Stored.Should().BeNull();
        ApplyResponse(Key, null, At("6", "two")).Should().BeTrue("it was created, although the deletion that is known is later");
        Stored.Should().Be("6");
        ApplyResponse(Key, _store.Get(Key), At("8", "three")).Should().BeTrue("another incarnation");
        Stored.Should().Be("8");
    }

    [Fact]
    public void Response_after_a_store_change_is_no_conflict()
    {
        var seen = At("5");
        _store.Upsert(seen);
        ApplyResponse(Key, seen, At("6")).Should().BeFalse("an ordinary patch");
        _store.Upsert(At("8"));
        ApplyResponse(Key, seen, At("7")).Should().BeFalse("the watch was faster than the answer");
        Stored.Should().Be("8");
        _store.Delete(At("9"));
        ApplyResponse(Key, seen, null).Should().BeFalse("the watch has reported the deletion");
        _store.Upsert(At("12", "two"));
        ApplyResponse(Key, null, At("10", "two")).Should().BeFalse("it was created, and changed since");
        Stored.Should().Be("12");
    }

    [Fact]
    public void Recreated_object_is_a_deletion_and_an_addition()
    {
        _store.Upsert(At("5", "one"));
        _changes.Clear();
        _store.Replace([At("9", "two")], "10", new HashSet<ResourceKey>());
        _changes.Should().Equal("5>-", "->9");
    }

    [Fact]
    public void Late_subscriber_receives_stored_objects_and_then_changes()
    {
        _store.Upsert(At("5"));
        var late = new List<string>();
        using (
            _store.Subscribe(change =>
                late.Add($"{change.Old?.Metadata.ResourceVersion ?? "-"}>{change.New?.Metadata.ResourceVersion ?? "-"}")
            )
        )
        {
            _store.Upsert(At("6"));
        }

        _store.Upsert(At("7"));
        late.Should().Equal("->5", "5>6");
    }

    [Fact]
    public void Handler_that_writes_to_the_store_receives_changes_in_order()
    {
        var seen = new List<string>();
        _store.Subscribe(change =>
        {
            seen.Add(change.New!.Metadata.ResourceVersion);
            if (change.New.Metadata.ResourceVersion == "5")
            {
                _store.Upsert(At("6"));
                _store.Upsert(At("7"));
            }
        });
        _store.Upsert(At("5"));
        seen.Should().Equal("5", "6", "7");
    }

    [Fact]
    public void Failing_handler_does_not_affect_others()
    {
        var failures = 0;
        var store = new ObjectStore<Widget>(
            new Dictionary<string, Func<Widget, IEnumerable<string>>>(),
            (_, _, _) => { },
            _ => failures++,
            _ => { }
        );
        var seen = 0;
        store.Subscribe(_ => throw new InvalidOperationException());
        store.Subscribe(_ => seen++);
        store.Upsert(At("5"));
        (failures, seen).Should().Be((1, 1));
    }

    [Fact]
    public async Task Concurrent_writers_leave_every_key_at_its_latest_version()
    {
        var last = new Dictionary<string, string>();
        _store.Subscribe(change => last[change.Key.Name] = change.New!.Metadata.ResourceVersion);
        await Task.WhenAll(
            Enumerable
                .Range(0, 4)
                .Select(thread =>
                    Task.Run(() =>
                    {
                        for (var version = 1 + thread; version <= 2000; version += 4)
                        {
                            _store.Upsert(At(version.ToString(), name: $"w{version % 7}"));
                        }
                    })
                )
        );
        last.Should().HaveCount(7);
        last.Should().OnlyContain(entry => _store.Get(new ResourceKey("default", entry.Key))!.Metadata.ResourceVersion == entry.Value);
        last.Values.Select(int.Parse).Should().OnlyContain(version => version > 1993);
    }

    [Fact]
    public void Number_of_tombstones_is_limited()
    {
        var tombstones = new Tombstones(10);
        for (var i = 0; i < 100; i++)
        {
            tombstones.Add(new ResourceKey("default", $"w{i % 30}"), null, $"{i}");
        }

        tombstones.Count.Should().BeLessThanOrEqualTo(10);
        tombstones.IsDeleted(new ResourceKey("default", "w9"), null, "50").Should().BeTrue("it is among the latest");
    }

    [Theory]
    [InlineData("10", "9", true)]
    [InlineData("9", "10", false)]
    [InlineData("10", "10", false)]
    [InlineData("0010", "10", false)]
    [InlineData("340282366920938463463374607431768211455", "340282366920938463463374607431768211454", true)]
    [InlineData("abc", "5", true)]
    [InlineData("abc", "abc", false)]
    [InlineData("5", null, true)]
    public void Versions_are_compared_numerically(string candidate, string? stored, bool newer) =>
        ResourceVersions.IsNewer(candidate, stored).Should().Be(newer);

    private bool ApplyResponse(ResourceKey key, Widget? seen, Widget? live)
    {
        var conflicts = false;
        _store.ApplyResponse(key, seen, live, () => conflicts = true);
        return conflicts;
    }

    private static Widget At(string version, string uid = "one", string name = "w") =>
        new()
        {
            Metadata = new V1ObjectMeta
            {
                Name = name,
                NamespaceProperty = "default",
                ResourceVersion = version,
                Uid = uid,
            },
        };
}
