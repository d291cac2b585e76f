using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Settings;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Status;
using Microsoft.Extensions.Time.Testing;

namespace KubeLB.Manager.Tests.Routes;

public class EnvoyGatewayReportsTests
{
    private static readonly ResourceKey First = new("tenant-t1", "first");
    private static readonly ResourceKey Second = new("tenant-t1", "second");

    private readonly FakeTimeProvider _time = new();
    private readonly EnvoyGatewayReports _reports;
    private int _changes;

    public EnvoyGatewayReportsTests()
    {
        _reports = new EnvoyGatewayReports(new ManagerOptions(), _time);
        _reports.Changed += () => _changes++;
    }

    [Fact]
    public void Report_is_overdue_after_30_seconds_and_until_it_is_there()
    {
        Condition().Should().Be(("True", "Responding", null));
        _reports.Update(First, generation: 1);
        _changes.Should().Be(1, "the Config must be checked again");
        Condition().Should().Be(("True", "Responding", TimeSpan.FromSeconds(30)));

        _time.Advance(TimeSpan.FromSeconds(20));
        _reports.Update(Second, generation: 4, observed: 3);
        _changes.Should().Be(1, "an earlier report is awaited");
        Condition().Should().Be(("True", "Responding", TimeSpan.FromSeconds(10)));

        _time.Advance(TimeSpan.FromSeconds(10));
        Condition().Should().Be(("False", "NotResponding", null));

        _reports.Update(First, generation: 1, observed: 1);
        _changes.Should().Be(2, "no report is overdue any longer");
        Condition().Should().Be(("True", "Responding", TimeSpan.FromSeconds(20)));
        _reports.Update(Second);
        Condition().Should().Be(("True", "Responding", null), "a deleted Route awaits no report");
    }

    [Fact]
    public void Object_that_changes_all_the_time_is_overdue_only_without_any_report()
    {
        for (var generation = 1; generation <= 100; generation++)
        {
            _reports.Update(First, generation, observed: generation - 1);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Condition().Status.Should().Be("True", "Envoy Gateway reports, but never on the latest generation");
        for (var generation = 101; generation <= 140; generation++)
        {
            _reports.Update(First, generation, observed: 99);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Condition().Status.Should().Be("False", "there was no report for 40 seconds");
    }

    private (string Status, string Reason, TimeSpan? Left) Condition()
    {
        var conditions = new ConditionSet(null, "2026-01-01T00:00:00Z");
        var left = _reports.SetCondition(conditions, new Config());
        var condition = conditions.ToList().Should().ContainSingle().Subject;
        return (condition.Status, condition.Reason, left);
    }
}
