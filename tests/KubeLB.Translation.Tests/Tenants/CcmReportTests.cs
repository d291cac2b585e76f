using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Tenants;

[Trait("Threat", "forged-ccm-report")]
public sealed class CcmReportTests
{
    private const int LongestMessage = 200;
    private const string Bound = "9f1c2c1e-7d38-4a6e-9a9e-0d1f5c3b2a11";
    private const string Other = "0b7a55a0-64f2-4b0e-8f5b-6c2f0f6f8d22";
    private static readonly DateTimeOffset Now = new(2026, 11, 29, 5, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Addresses_without_annotations_report_nothing()
    {
        CcmReport.Read(null, Now).Should().Be(CcmReport.None);
        CcmReport.Read(new Addresses(), Now).Should().Be(CcmReport.None, "a Go CCM writes none");
        CcmReport.Read(With(bound: Bound), Now).Should().Be(CcmReport.None);
    }

    [Fact]
    public void Rejected_cluster_is_reported_with_both_clusters_and_a_remedy_for_10_minutes()
    {
        var report = CcmReport.Read(With(Bound, Rejected(Other, TimeSpan.FromMinutes(-4))), Now);

        report.Mismatch.Should().Contain(Bound).And.Contain(Other).And.Contain("kubeconfig").And.Contain("cluster-uid");
        report.Mismatch!.Length.Should().BeLessThanOrEqualTo(LongestMessage);
        report.IsRejectionOver.Should().BeFalse();
        report.RequeueAfter.Should().Be(TimeSpan.FromMinutes(6));
    }

    [Fact]
    public void Message_stays_the_same_while_the_rejected_CCM_retries() =>
        CcmReport
            .Read(With(Bound, Rejected(Other, TimeSpan.FromMinutes(-4))), Now)
            .Mismatch.Should()
            .Be(CcmReport.Read(With(Bound, Rejected(Other, TimeSpan.FromMinutes(-1))), Now).Mismatch);

    [Theory]
    [InlineData(Bound, Other, -10)]
    [InlineData(Bound, Other, -600)]
    [InlineData(Bound, Other, 11)]
    [InlineData(Other, Other, -1)]
    [InlineData(null, Other, -1)]
    public void Rejection_that_is_old_or_no_longer_holds_is_removed(string? bound, string rejected, int minutes)
    {
        var report = CcmReport.Read(With(bound, Rejected(rejected, TimeSpan.FromMinutes(minutes))), Now);

        report.Should().Be(CcmReport.None with { IsRejectionOver = true });
    }

    [Fact]
    public void Binding_that_is_not_a_UID_reports_ClusterMismatch()
    {
        var report = CcmReport.Read(With("no uid", Rejected(Other, TimeSpan.FromMinutes(-1))), Now);

        report.IsRejectionOver.Should().BeFalse();
        report.Mismatch.Should().Contain(Other).And.Contain("not a UID").And.NotContain("no uid");
        report.Mismatch!.Length.Should().BeLessThanOrEqualTo(200);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("<script>")]
    public void Rejection_that_is_not_valid_is_removed(string text) =>
        CcmReport.Read(With(Bound, text), Now).Should().Be(CcmReport.None with { IsRejectionOver = true });

    [Fact]
    public void CCM_that_reported_within_the_hour_is_not_missing_yet()
    {
        CcmReport
            .Read(With(lastSeen: "2026-11-29T04:10:00Z"), Now)
            .Should()
            .Be(CcmReport.None with { RequeueAfter = TimeSpan.FromMinutes(10) });
        CcmReport
            .Read(With(lastSeen: "2026-11-29T05:05:00Z"), Now)
            .Should()
            .Be(CcmReport.None with { RequeueAfter = TimeSpan.FromMinutes(65) }, "clocks differ");
    }

    [Fact]
    public void CCM_that_did_not_report_for_an_hour_is_reported_with_time_version_and_remedy()
    {
        var report = CcmReport.Read(With(lastSeen: "2026-11-29T04:00:00Z", version: "1.2.3"), Now);

        report.NotSeen.Should().Contain("2026-11-29T04:00:00Z").And.Contain("1.2.3").And.Contain("Check its pod");
        report.NotSeen!.Length.Should().BeLessThanOrEqualTo(LongestMessage);
        report.RequeueAfter.Should().BeNull("a report is an event");
        CcmReport.Read(With(lastSeen: "2026-11-29T04:00:00Z", version: "\u001b[31m"), Now).NotSeen.Should().NotContain("version");
    }

    [Theory]
    [InlineData("yesterday")]
    [InlineData("2026-11-29T05:10:01Z")]
    [InlineData("9999-12-31T23:59:59Z")]
    [InlineData("0001-01-01T00:00:00")]
    public void Invalid_or_future_last_report_is_ignored(string lastSeen) =>
        CcmReport.Read(With(lastSeen: lastSeen), Now).Should().Be(CcmReport.None);

    [Fact]
    public void Times_at_the_ends_of_the_calendar_are_handled()
    {
        CcmReport.Read(With(lastSeen: "0001-01-01T00:00:00Z"), Now).NotSeen.Should().NotBeNull();
        CcmReport
            .Read(With(Bound, $$"""{"uid":"{{Other}}","time":"0001-01-01T00:00:00Z","version":"1"}"""), Now)
            .IsRejectionOver.Should()
            .BeTrue();
        CcmReport
            .Read(With(Bound, $$"""{"uid":"{{Other}}","time":"9999-12-31T23:59:59Z","version":"1"}"""), Now)
            .IsRejectionOver.Should()
            .BeTrue();
    }

    [Fact]
    public void Requeue_is_at_the_earlier_of_two_times() =>
        CcmReport
            .Read(With(Bound, Rejected(Other, TimeSpan.FromMinutes(-4)), lastSeen: "2026-11-29T04:02:00Z"), Now)
            .RequeueAfter.Should()
            .Be(TimeSpan.FromMinutes(2));

    private static string Rejected(string uid, TimeSpan age) => new RejectedCluster(uid, Now + age, "1.2.3").Write();

    private static Addresses With(string? bound = null, string? rejected = null, string? lastSeen = null, string? version = null)
    {
        var annotations = new Dictionary<string, string>();
        foreach (
            var (key, value) in new[]
            {
                (Annotations.ClusterUid, bound),
                (Annotations.RejectedCluster, rejected),
                (Annotations.LastSeen, lastSeen),
                (Annotations.CcmVersion, version),
            }
        )
        {
            if (value is not null)
            {
                annotations[key] = value;
            }
        }

        return new Addresses { Metadata = { Annotations = annotations } };
    }
}
