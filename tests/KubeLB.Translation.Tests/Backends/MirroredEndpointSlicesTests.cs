using k8s.Models;
using KubeLB.Api;
using KubeLB.Translation.Backends;
using static KubeLB.Translation.Tests.Backends.BackendResolutionTests;

namespace KubeLB.Translation.Tests.Backends;

public sealed class MirroredEndpointSlicesTests
{
    [Theory]
    [InlineData("ClusterIP", null, true)]
    [InlineData("ClusterIP", "", true)]
    [InlineData("ClusterIP", "web", false)]
    [InlineData("NodePort", null, false)]
    public void Mirrors_are_needed_for_Services_without_selector_and_node_ports(string type, string? app, bool expected)
    {
        var service = Service("web", type, "80/TCP");
        service.Spec.Selector = app switch
        {
            null => null,
            "" => new Dictionary<string, string>(),
            _ => new Dictionary<string, string> { ["app"] = app },
        };

        MirroredEndpointSlices.AreNeededFor(service).Should().Be(expected);
    }

    [Fact]
    public void Mirror_is_recognized_and_not_mirrored_again()
    {
        var (service, nodePortService) = (Service("web", "ClusterIP", "80/TCP"), NodePortServiceOf("web", "80/TCP"));
        var source = Slice("web-1", "example.com/controller");

        var mirror = MirroredEndpointSlices.Build(service, nodePortService, [source]).Should().ContainSingle().Subject;

        MirroredEndpointSlices.IsMirror(mirror).Should().BeTrue();
        MirroredEndpointSlices.IsMirror(source).Should().BeFalse();
        MirroredEndpointSlices.ServiceOf(mirror).Should().Be("web-nodeport");
        MirroredEndpointSlices.OriginOf(mirror).Should().Be("web");
        MirroredEndpointSlices.OriginOf(source).Should().Be("web");
        MirroredEndpointSlices.Build(service, nodePortService, [mirror]).Should().BeEmpty();
    }

    [Fact]
    public void Slice_of_a_user_with_the_origin_label_belongs_to_its_own_Service()
    {
        var slice = Slice("web-1", "example.com/controller");
        slice.Metadata.Labels[Labels.OriginName] = "other";

        MirroredEndpointSlices.OriginOf(slice).Should().Be("web");
    }

    [Fact]
    public void Slice_without_endpoints_and_ports_is_mirrored_empty()
    {
        var mirror = MirroredEndpointSlices
            .Build(Service("web", "ClusterIP", "80/TCP"), NodePortServiceOf("web", "80/TCP"), [Slice("web-1", managedBy: null)])
            .Single();

        mirror.Endpoints.Should().BeEmpty();
        mirror.Ports.Should().BeEmpty();
    }

    [Theory]
    [InlineData("FQDN", false, 0)]
    [InlineData("IPv6", false, 1)]
    [InlineData("IPv4", true, 0)]
    public void Slices_of_hostnames_and_deleted_ones_are_not_mirrored(string addressType, bool isDeleted, int expected)
    {
        var slice = Slice("web-1", managedBy: null);
        slice.AddressType = addressType;
        slice.Metadata.DeletionTimestamp = isDeleted ? new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc) : null;

        MirroredEndpointSlices
            .Build(Service("web", "ClusterIP", "80/TCP"), NodePortServiceOf("web", "80/TCP"), [slice])
            .Should()
            .HaveCount(expected);
    }

    private static V1EndpointSlice Slice(string name, string? managedBy)
    {
        var labels = new Dictionary<string, string> { [MirroredEndpointSlices.ServiceNameLabel] = "web" };
        if (managedBy is not null)
        {
            labels[MirroredEndpointSlices.ManagedByLabel] = managedBy;
        }

        return new V1EndpointSlice
        {
            Metadata = new V1ObjectMeta
            {
                Name = name,
                NamespaceProperty = "apps",
                Labels = labels,
            },
            AddressType = "IPv4",
        };
    }
}
