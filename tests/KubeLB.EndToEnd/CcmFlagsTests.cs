using k8s.Models;
using KubeLB.Ccm.Hosting;
using KubeLB.EndToEnd.Support;
using KubeLB.Inspection.Access;
using KubeLB.Translation.Matching;

namespace KubeLB.EndToEnd;

/// <summary>The flags that traces read from the CCM's Deployment are those that the CCM itself reads.</summary>
public sealed class CcmFlagsTests
{
    [Theory]
    [InlineData("--cluster-name=shop", "")]
    [InlineData("--cluster-name tenant-shop --enable-gateway-api", "")]
    [InlineData("--cluster-name=shop --enable-gateway-api=false --node-address-type=ExternalIP --use-gateway-class", "")]
    [InlineData(
        "--cluster-name=shop --enable-gateway-api true --use-gateway-class=false --enforce-reference-grants --disable-grpcroute-controller",
        "--disable-grpcroute-controller --enforce-reference-grants --use-gateway-class=false"
    )]
    [InlineData(
        "--enable-gateway-api --cluster-name shop --node-address-type InternalIP --node-address-label-selector=pool=edge "
            + "--max-node-address-count=3 --disable-gateway-controller --disable-httproute-controller=true",
        "--disable-gateway-controller --disable-httproute-controller --max-node-address-count=3 "
            + "--node-address-label-selector=pool=edge --node-address-type=InternalIP"
    )]
    public void Flags_of_the_Deployment_are_those_of_the_CCM(string arguments, string changed)
    {
        var command = new CcmCommand();
        var options = command.Options(command.Build().Parse(arguments));

        var flags = CcmFlags.Read(new PatchedObjects(new NoObjects("none"), [Deployment(arguments.Split(' '))]), "tenant-shop");

        flags.Assumed.Should().BeNull();
        flags.Tenant.Should().Be("shop");
        flags.IsGatewayApiEnabled.Should().Be(options.EnableGatewayApi);
        var settings = flags.Settings("tenant-shop");
        (settings.UseGatewayClass, settings.EnforceReferenceGrants).Should().Be((options.UseGatewayClass, options.EnforceReferenceGrants));
        settings.IsGatewayControllerEnabled.Should().Be(!options.DisableGatewayController);
        settings.IsHttpRouteControllerEnabled.Should().Be(!options.DisableHttpRouteController);
        settings.IsGrpcRouteControllerEnabled.Should().Be(!options.DisableGrpcRouteController);
        var (own, expected) = (flags.NodeAddresses, options.NodeAddresses);
        (own.AddressType, own.MaxCount).Should().Be((expected.AddressType, expected.MaxCount));
        LabelSelectors.Format(own.Selector).Should().Be(LabelSelectors.Format(expected.Selector));
        string.Join(' ', flags.Changed).Should().Be(changed);
    }

    [Fact]
    public void Flags_that_cannot_be_read_are_assumed_with_the_reason()
    {
        var flags = CcmFlags.Read(new NoObjects("no permission"), "tenant-shop");

        flags.Assumed.Should().Be("no permission");
        flags.Settings("tenant-shop").Should().Be(new Translation.Tenants.TenantSettings("tenant-shop"));
        flags.NodeAddresses.AddressType.Should().Be(new CcmOptions { ClusterName = "shop" }.NodeAddressType);
    }

    private static System.Text.Json.Nodes.JsonObject Deployment(string[] arguments) =>
        Api.Serialization.ApiJson.ToJson(
            new V1Deployment
            {
                ApiVersion = "apps/v1",
                Kind = "Deployment",
                Metadata = new V1ObjectMeta
                {
                    Name = "ccm",
                    NamespaceProperty = "kube-system",
                    Labels = new Dictionary<string, string> { ["app.kubernetes.io/name"] = "kubelb-ccm" },
                },
                Spec = new V1DeploymentSpec
                {
                    Template = new V1PodTemplateSpec { Spec = new V1PodSpec { Containers = [new V1Container { Args = arguments }] } },
                },
            }
        );
}
