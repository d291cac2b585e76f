using System.Text;
using KubeLB.Manager.Proxies.Reports;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Status;
using KubeLB.Xds.Resources;

namespace KubeLB.Manager.Tests.Proxies.Reports;

public sealed class ReplicaReportTests
{
    [Fact]
    public void What_is_written_is_read()
    {
        var refusal = new RefusedStream("t", "Somebody.", new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
        var report = Of([Resource("tenant-t", "web")], refusal);

        var read = ReplicaReport.Read(report.ToJson());

        read.Rejections.Should().Equal(new Dictionary<ResourceKey, ProxyRejection> { [new("tenant-t", "route-of-web")] = new("10.0.0.7", "cluster", "no") });
        read.Refusals.Should().Equal(refusal);
        read.ToJson().Should().Be(report.ToJson());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("{\"rejections\":null,\"refusals\":[null]}")]
    [InlineData("{\"rejections\":[null],\"refusals\":[]}")]
    [InlineData("{\"rejections\":[{}],\"refusals\":[{}]}")]
    public void What_cannot_be_read_says_nothing(string? text) => ReplicaReport.Read(text).IsEmpty.Should().BeTrue();

    [Fact]
    public void Of_several_refusals_of_a_route_the_first_is_told()
    {
        var report = Of([Resource("tenant-t", "web", "10.0.0.7"), Resource("tenant-t", "web", "10.0.0.8")]);

        report.Rejections.Should().ContainSingle().Which.Value.Proxy.Should().Be("10.0.0.7");
    }

    [Fact]
    public void A_resource_of_no_route_is_not_told() => ReplicaReport.Of([Resource("tenant-t", "web")], [], _ => []).IsEmpty.Should().BeTrue();

    [Theory]
    [InlineData("one\r\n\ttwo\0  three ", "one two three")]
    [InlineData("", "")]
    public void Messages_are_one_clean_line(string message, string expected) => Message(message).Should().Be(expected);

    [Fact]
    public void Long_messages_are_cut_between_characters()
    {
        var cut = Message(new string('x', ReplicaReport.MaxMessageLength - 2) + "\U0001F600\U0001F600");

        cut.Should().Be(new string('x', ReplicaReport.MaxMessageLength - 2) + "…");
        Message(new string('x', ReplicaReport.MaxMessageLength)).Should().HaveLength(ReplicaReport.MaxMessageLength);
    }

    [Fact]
    public void A_report_fits_into_an_annotation_and_no_tenant_fills_it_alone()
    {
        var much = Enumerable.Range(0, 10_000).Select(i => Resource("tenant-a", $"web-{i:d5}", message: new string('\U00006F22', 2_000)));

        var json = Of(much.Append(Resource("tenant-b", "only"))).ToJson();

        Encoding.UTF8.GetByteCount(json).Should().BeInRange(ReplicaReport.MaxBytes / 2, ReplicaReport.MaxBytes + 1_000);
        ReplicaReport.Read(json).Rejections.Keys.Should().Contain(new ResourceKey("tenant-b", "route-of-only"));
    }

    private static string Message(string message) => Of([Resource("tenant-t", "web", message: message)]).Rejections.Values.Single().Message;

    private static ReplicaReport Of(IEnumerable<RejectedResource> rejected, params RefusedStream[] refusals) =>
        ReplicaReport.Of(rejected, refusals, r => [$"route-of-{r.Name}"]);

    private static RejectedResource Resource(string node, string name, string proxy = "10.0.0.7", string message = "no") =>
        new(node, proxy, ResourceTypes.Cluster, name, message);
}
