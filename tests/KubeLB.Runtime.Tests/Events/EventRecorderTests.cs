using System.Text.Json.Nodes;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Events;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Tests.Fakes;
using KubeLB.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace KubeLB.Runtime.Tests.Events;

public sealed class EventRecorderTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private readonly FakeApiServer _server = new();
    private readonly FakeTimeProvider _time = new(Start);
    private readonly FixedLeadership _leadership = new();
    private readonly Widget _widget = new()
    {
        Metadata = new()
        {
            Name = "w",
            NamespaceProperty = "team",
            Uid = "u-1",
            ResourceVersion = "7",
        },
    };

    private TestHost _host = null!;
    private EventRecorder _recorder = null!;

    public ValueTask InitializeAsync()
    {
        _host = TestHost.Build(_server);
        _recorder = NewRecorder();
        _recorder.Start();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _recorder.StopAsync(default);
        _recorder.Dispose();
        await _host.DisposeAsync();
    }

    [Fact]
    [Trait("Threat", "log-forgery")]
    public async Task Message_of_an_Event_is_escaped()
    {
        _recorder.Record(_widget, EventType.Warning, "TooBlue", "a\u001b[31m\u202e");

        (await SentAsync(1)).Single()["message"]!.GetValue<string>().Should().Be(@"a\u001b[31m\u202e");
    }

    [Fact]
    public async Task Event_has_the_fields_that_kubectl_describe_shows()
    {
        _recorder.Record(_widget, EventType.Warning, "TooBlue", "Paint it.");

        var sent = (await SentAsync(1)).Single();
        var name = sent["metadata"]!["name"]!.GetValue<string>();
        name.Should().MatchRegex("^w\\.[0-9a-f]+$");
        sent["metadata"]!["namespace"]!.GetValue<string>().Should().Be("team");
        sent["type"]!.GetValue<string>().Should().Be("Warning");
        sent["reason"]!.GetValue<string>().Should().Be("TooBlue");
        sent["message"]!.GetValue<string>().Should().Be("Paint it.");
        sent["source"]!["component"]!.GetValue<string>().Should().Be("tester");
        sent["count"]!.GetValue<int>().Should().Be(1);
        sent["firstTimestamp"]!.GetValue<string>().Should().Be("2026-01-02T03:04:05Z");
        sent["lastTimestamp"]!.GetValue<string>().Should().Be("2026-01-02T03:04:05Z");
        JsonNode
            .DeepEquals(
                sent["involvedObject"],
                JsonNode.Parse(
                    """
                    {"apiVersion":"example.com/v1alpha1","kind":"Widget","namespace":"team","name":"w","uid":"u-1",
                     "resourceVersion":"7"}
                    """
                )
            )
            .Should()
            .BeTrue();
    }

    [Fact]
    [Trait("Threat", "many-events")]
    public async Task Repetition_increases_the_count_of_the_event()
    {
        _recorder.Record(_widget, EventType.Normal, "Painted", "It is red.");
        await SentAsync(1);
        _time.Advance(TimeSpan.FromMinutes(1));
        _recorder.Record(_widget, EventType.Normal, "Painted", "It is red.");

        await Eventually.HoldsAsync(() => Stored().Single()["count"]!.GetValue<int>() == 2, "the count is raised");
        Stored().Single()["firstTimestamp"]!.GetValue<string>().Should().Be("2026-01-02T03:04:05Z");
        Stored().Single()["lastTimestamp"]!.GetValue<string>().Should().Be("2026-01-02T03:05:05Z");
    }

    [Fact]
    public async Task Other_message_reason_type_or_uid_creates_another_event()
    {
        var reborn = new Widget
        {
            Metadata = new()
            {
                Name = "w",
                NamespaceProperty = "team",
                Uid = "u-2",
            },
        };
        _recorder.Record(_widget, EventType.Normal, "Painted", "It is red.");
        _recorder.Record(_widget, EventType.Normal, "Painted", "It is blue.");
        _recorder.Record(_widget, EventType.Normal, "Sold", "It is red.");
        _recorder.Record(_widget, EventType.Warning, "Painted", "It is red.");
        _recorder.Record(reborn, EventType.Normal, "Painted", "It is red.");

        (await SentAsync(5)).Should().OnlyContain(e => e["count"]!.GetValue<int>() == 1);
    }

    [Fact]
    public async Task Expired_event_is_recreated()
    {
        _recorder.Record(_widget, EventType.Normal, "Painted", "It is red.");
        await SentAsync(1);
        _server.With(
            "v1",
            "events",
            c =>
            {
                c.Objects.Clear();
                return 0;
            }
        );
        _time.Advance(TimeSpan.FromHours(2));
        _recorder.Record(_widget, EventType.Normal, "Painted", "It is red.");

        var sent = (await SentAsync(1)).Single();
        sent["count"]!.GetValue<int>().Should().Be(1);
        sent["firstTimestamp"]!.GetValue<string>().Should().Be("2026-01-02T05:04:05Z");
    }

    [Fact]
    [Trait("Threat", "many-events")]
    public async Task Flapping_object_is_rate_limited_and_others_are_not()
    {
        for (var i = 0; i < 3 * EventCorrelator.Burst; i++)
        {
            _recorder.Record(_widget, EventType.Normal, "Painted", $"Coat {i}.");
        }

        var other = new Widget
        {
            Metadata = new()
            {
                Name = "other",
                NamespaceProperty = "team",
                Uid = "u-2",
            },
        };
        _recorder.Record(other, EventType.Normal, "Painted", "It is red.");
        (await SentAsync(EventCorrelator.Burst + 1)).Should().Contain(e => e["involvedObject"]!["name"]!.GetValue<string>() == "other");

        // The token bucket is refilled with one token per interval.
        _time.Advance(EventCorrelator.RefillInterval);
        _recorder.Record(_widget, EventType.Normal, "Painted", "At last.");
        _recorder.Record(_widget, EventType.Normal, "Painted", "Too much.");
        _recorder.Record(other, EventType.Normal, "Sold", "It is gone.");
        (await SentAsync(EventCorrelator.Burst + 3))
            .Select(e => e["message"]!.GetValue<string>())
            .Should()
            .Contain("At last.")
            .And.NotContain("Too much.");
    }

    [Fact]
    public async Task Long_message_and_long_name_are_truncated()
    {
        var widget = new Widget
        {
            Metadata = new()
            {
                Name = new string('n', 253),
                NamespaceProperty = "team",
                Uid = "u",
            },
        };
        _recorder.Record(widget, EventType.Normal, "Painted", new string('m', 5000));

        var sent = (await SentAsync(1)).Single();
        sent["message"]!.GetValue<string>().Should().HaveLength(1000).And.EndWith("m…");
        sent["metadata"]!["name"]!.GetValue<string>().Length.Should().BeLessThanOrEqualTo(253);
    }

    [Fact]
    public async Task Events_of_objects_without_a_namespace_go_to_default()
    {
        _recorder.Record(
            new Widget
            {
                Metadata = new() { Name = "w", Uid = "u" },
            },
            EventType.Normal,
            "Painted",
            "It is red."
        );

        var sent = (await SentAsync(1)).Single();
        sent["metadata"]!["namespace"]!.GetValue<string>().Should().Be("default");
        sent["involvedObject"]!["namespace"].Should().BeNull();
    }

    [Fact]
    public async Task Replica_that_is_not_the_leader_sends_no_events()
    {
        _leadership.IsLeader = false;
        _recorder.Record(_widget, EventType.Normal, "Painted", "As a follower.");
        _leadership.IsLeader = true;
        _recorder.Record(_widget, EventType.Normal, "Painted", "As the leader.");

        (await SentAsync(1)).Single()["message"]!.GetValue<string>().Should().Be("As the leader.");
    }

    [Fact]
    public async Task Rejected_events_are_logged_once_and_not_retried()
    {
        _server.Intercept = r => r.Path.EndsWith("/events", StringComparison.Ordinal) ? FakeApiServer.Error(403, "Forbidden", "no") : null;
        _recorder.Record(_widget, EventType.Normal, "Painted", "One.");
        _recorder.Record(_widget, EventType.Normal, "Painted", "Two.");
        await Eventually.HoldsAsync(() => _server.Writes.Count() == 2, "both were tried");
        _server.Intercept = null;
        _recorder.Record(_widget, EventType.Normal, "Painted", "Three.");

        (await SentAsync(1)).Single()["message"]!.GetValue<string>().Should().Be("Three.");
        _server.Writes.Should().HaveCount(3);
        _host.Logs.AtLeast(LogLevel.Warning).Should().ContainSingle();
    }

    [Fact]
    public async Task Event_recorded_in_an_outage_is_sent_afterwards()
    {
        _server.IsDown = true;
        _recorder.Record(_widget, EventType.Normal, "Painted", "It is red.");
        await Eventually.HoldsAsync(() => _host.Logs.AtLeast(LogLevel.Warning).Any(), "the error is logged");
        _server.IsDown = false;

        await Eventually.HoldsAsync(
            () =>
            {
                _time.Advance(EventRecorder.RetryInterval);
                return Stored().Count == 1;
            },
            "the Event is sent"
        );
        _host.Logs.AtLeast(LogLevel.Warning).Should().ContainSingle();
    }

    [Fact]
    public async Task Queued_events_are_sent_at_stop()
    {
        _recorder.Record(_widget, EventType.Normal, "Painted", "It is red.");
        await _recorder.StopAsync(default);

        Stored().Should().ContainSingle();
    }

    [Fact]
    [Trait("Threat", "many-events")]
    public void Full_queue_drops_events_without_blocking()
    {
        using var idle = NewRecorder();
        for (var i = 0; i < EventRecorder.Capacity + 10; i++)
        {
            idle.Record(_widget, EventType.Normal, "Painted", $"Coat {i}.");
        }

        _host.Logs.Lines.Count(l => l.Text.EndsWith("dropped: the queue is full.", StringComparison.Ordinal)).Should().Be(10);
    }

    [Fact]
    public async Task Event_with_an_internal_error_is_dropped_alone()
    {
        var clock = new BrokenClock();
        using var recorder = NewRecorder(clock);
        recorder.Start();
        clock.IsBroken = true;
        recorder.Record(_widget, EventType.Normal, "Painted", "It is red.");
        await Eventually.HoldsAsync(() => _host.Logs.AtLeast(LogLevel.Warning).Any(), "it is logged");
        clock.IsBroken = false;
        recorder.Record(_widget, EventType.Normal, "Painted", "It is blue.");

        (await SentAsync(1)).Single()["message"]!.GetValue<string>().Should().Be("It is blue.");
        _host.Host.Services.GetRequiredService<Supervisor>().Problems.Should().BeEmpty();
        await recorder.StopAsync(default);
    }

    [Fact]
    [Trait("Threat", "many-statuses")]
    [Trait("Threat", "many-events")]
    public async Task Events_of_a_namespace_are_limited_before_the_queue_and_others_are_sent()
    {
        // Not started: all Events remain in the queue.
        using var recorder = NewRecorder(perNamespace: new WriteLimit(3, TimeSpan.FromSeconds(1)));
        for (var i = 0; i < EventRecorder.Capacity + 100; i++)
        {
            recorder.Record(WidgetIn("team", $"w{i}"), EventType.Warning, "TooBlue", "Paint it.");
        }

        recorder.Record(WidgetIn("other", "w"), EventType.Warning, "TooBlue", "Paint it.");
        _time.Advance(TimeSpan.FromSeconds(1));
        recorder.Record(WidgetIn("team", "later"), EventType.Warning, "TooBlue", "Paint it.");
        recorder.Record(WidgetIn("team", "too-many"), EventType.Warning, "TooBlue", "Paint it.");
        recorder.Start();

        (await SentAsync(5))
            .Select(e => e["involvedObject"]!["name"]!.GetValue<string>())
            .Should()
            .BeEquivalentTo("w0", "w1", "w2", "w", "later");
        await recorder.StopAsync(default);
    }

    private static Widget WidgetIn(string @namespace, string name) =>
        new()
        {
            Metadata = new()
            {
                Name = name,
                NamespaceProperty = @namespace,
                Uid = $"{@namespace}-{name}",
            },
        };

    private List<JsonObject> Stored() => _server.With("v1", "events", c => c.Objects.Values.ToList());

    private async Task<List<JsonObject>> SentAsync(int count)
    {
        await Eventually.HoldsAsync(() => Stored().Count >= count, $"{count} Events are sent");
        Stored().Should().HaveCount(count);
        return Stored();
    }

    private sealed class FixedLeadership : ILeadership
    {
        public bool IsLeader { get; set; } = true;

        public CancellationToken LeadershipToken => default;

        public Task WaitUntilLeadingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private EventRecorder NewRecorder(TimeProvider? time = null, WriteLimit? perNamespace = null)
    {
        var services = _host.Host.Services;
        return new EventRecorder(
            _host.Cluster,
            "tester",
            _leadership,
            services.GetRequiredService<Supervisor>(),
            time ?? _time,
            services.GetRequiredService<ILoggerFactory>().CreateLogger("events"),
            perNamespace
        );
    }

    private sealed class BrokenClock : TimeProvider
    {
        public bool IsBroken { get; set; }

        public override DateTimeOffset GetUtcNow() => IsBroken ? throw new InvalidOperationException("no clock") : base.GetUtcNow();
    }
}

public sealed class LruCacheTests
{
    [Fact]
    [Trait("Threat", "many-events")]
    public void Least_recently_used_entry_is_evicted()
    {
        var cache = new LruCache<string, int>(2);
        cache.GetOrAdd("a", () => 1);
        cache.GetOrAdd("b", () => 1);
        cache.GetOrAdd("a", () => 2).Should().Be(1);
        cache.GetOrAdd("c", () => 1);

        cache.Count.Should().Be(2);
        cache.GetOrAdd("a", () => 3).Should().Be(1);
        cache.GetOrAdd("b", () => 3).Should().Be(3, "it had been forgotten");
    }
}
