using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Tenants;

public sealed class ServerUrlTests
{
    private const string Published = "https://published.example.com:6443";

    private static readonly V1EndpointSlice Slice = SliceOf(("10.0.0.2", true), ("10.0.0.1", true));

    [Fact]
    public void URL_of_the_Config_is_preferred()
    {
        Find(Configured("https://lb.example.com:6443/"), Published, Slice).Should().Be(new ServerUrl("https://lb.example.com:6443", null));
    }

    [Fact]
    public void URL_of_cluster_info_is_second() =>
        Find(new Config(), Published, Slice).Url.Should().Be("https://published.example.com:6443");

    [Fact]
    public void Lowest_ready_address_of_the_Service_is_third()
    {
        Find(null, null, Slice).Url.Should().Be("https://10.0.0.1:6443");
        Find(null, null, SliceOf(("10.0.0.2", true), ("10.0.0.1", false))).Url.Should().Be("https://10.0.0.2:6443");
        Find(null, null, SliceOf(("2001:db8::1", true))).Url.Should().Be("https://[2001:db8::1]:6443");
    }

    [Fact]
    public void First_port_is_used_if_none_is_named_https()
    {
        var slice = SliceOf(("10.0.0.1", true));
        slice.Ports = [new Discoveryv1EndpointPort { Port = 6444 }, new Discoveryv1EndpointPort { Name = "other", Port = 1 }];
        Find(null, null, slice).Url.Should().Be("https://10.0.0.1:6444");

        slice.Ports = [];
        Find(null, null, slice).Url.Should().BeNull();
        slice.Ports = null;
        Find(null, null, slice).Url.Should().BeNull();
        Find(null, null, new V1EndpointSlice()).Url.Should().BeNull();
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    public void Published_server_that_is_not_a_URL_is_ignored(string published) =>
        Find(null, published, Slice).Url.Should().Be("https://10.0.0.1:6443");

    [Fact]
    public void Unknown_URL_reports_what_to_configure()
    {
        var found = Find(null, null, SliceOf());

        found.Url.Should().BeNull();
        found
            .Problem.Should()
            .Contain("Set spec.apiServerURL of Config kubelb/default")
            .And.Contain("kube-public/cluster-info")
            .And.Contain("default/kubernetes");
    }

    [Theory]
    [InlineData("lb.example.com:6443")]
    [InlineData("ftp://lb.example.com")]
    [InlineData("https://lb.example.com\ntoken: x")]
    [InlineData("https://lb.example.com/a b")]
    [InlineData("https://lb.example.com/\u0001")]
    [InlineData("https://lb.example.com/\"")]
    [InlineData("https://lb.example.com/'")]
    [InlineData("https://lb.example.com/#x")]
    public void Invalid_URL_of_the_Config_is_rejected(string configured)
    {
        var found = Find(Configured(configured), Published, Slice);

        found.Url.Should().BeNull();
        found.Problem.Should().Contain("invalid URL").And.Contain("Config kubelb/default");
    }

    private static ServerUrl Find(Config? config, string? published, params V1EndpointSlice[] slices) =>
        ServerUrl.Find("kubelb/default", config, published, slices);

    private static Config Configured(string url) => new() { Spec = new ConfigSpec { ApiServerURL = url } };

    private static V1EndpointSlice SliceOf(params (string Address, bool Ready)[] endpoints) =>
        new()
        {
            Endpoints =
            [
                .. endpoints.Select(e => new V1Endpoint
                {
                    Addresses = [e.Address],
                    Conditions = new V1EndpointConditions { Ready = e.Ready },
                }),
            ],
            Ports = [new Discoveryv1EndpointPort { Name = "other", Port = 1 }, new Discoveryv1EndpointPort { Name = "https", Port = 6443 }],
        };
}
