using System.Net;
using k8s;
using KubeLB.Api.GatewayApi;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.Demo;
using KubeLB.Sandbox.EnvoyGateway;
using KubeLB.Sandbox.EnvoyGateway.Statuses;

namespace KubeLB.Sandbox.Tests.EnvoyGateway;

/// <summary>Status of Gateways that are not served, or only partly, as Envoy Gateway 1.9 writes it.</summary>
public sealed class GatewayStatusTests
{
    private const string Http = "{name: http, port: 80, protocol: HTTP}";
    private const string WithoutCertificate = "{name: https, port: 443, protocol: HTTPS}";
    private const string MissingSecret = "{name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: missing}]}}";
    private const string Frontend = "{default: {validation: {caCertificateRefs: [{group: '', kind: ConfigMap, name: ca}]}}}";
    private const string OtherPort = "{default: {validation: {caCertificateRefs: []}}, perPort: [{port: 443, tls: {}}]}";

    [Theory]
    [InlineData($"listeners: [{Http}]", "True Accepted", "True Programmed", "127.0.0.1")]
    [InlineData($"listeners: [{WithoutCertificate}]", "False ListenersNotValid", "False AddressNotAssigned", "")]
    [InlineData($"listeners: [{Http}, {WithoutCertificate}]", "True ListenersNotValid", "True Programmed", "127.0.0.1")]
    [InlineData($"listeners: [{MissingSecret}]", "True Accepted", "False AddressNotAssigned", "")]
    [InlineData($"listeners: [{Http}, {{name: b, port: 80, protocol: HTTP}}]", "False ListenersNotValid", "False AddressNotAssigned", "")]
    [InlineData($"listeners: [{Http}]\n  addresses: [{{value: 203.0.113.10}}]", "True Accepted", "True Programmed", "203.0.113.10")]
    [InlineData($"listeners: [{Http}]\n  addresses: [{{value: 127.0.0.9}}]", "True Accepted", "False AddressNotUsable", "127.0.0.9")]
    [InlineData($"listeners: [{Http}]\n  addresses: [{{value: 169.254.1.1}}]", "True Accepted", "False AddressNotUsable", "169.254.1.1")]
    [InlineData($"listeners: [{Http}]\n  addresses: [{{value: not-an-ip}}]", "True Accepted", "False AddressNotUsable", "not-an-ip")]
    [InlineData(
        $"listeners: [{Http}]\n  addresses: [{{type: Hostname, value: a.example}}]",
        "True Accepted",
        "False AddressNotUsable",
        "a.example"
    )]
    [InlineData(
        $"listeners: [{Http}, {MissingSecret}]\n  tls: {{frontend: {Frontend}}}",
        "True ListenersNotValid",
        "True Programmed",
        "127.0.0.1"
    )]
    [InlineData($"listeners: [{Http}, {MissingSecret}]\n  tls: {{frontend: {OtherPort}}}", "True Accepted", "True Programmed", "127.0.0.1")]
    public void Gateway_reports_listeners_and_addresses_that_are_not_served(
        string spec,
        string accepted,
        string programmed,
        string addresses
    )
    {
        var evaluation = Evaluate(spec);

        var status = StatusWriter.Gateway(evaluation, [], evaluation.IsServed ? IPAddress.Loopback : null, DateTimeOffset.UnixEpoch);

        status.Conditions!.Select(c => $"{c.Status} {c.Reason}").Should().Equal(accepted, programmed);
        string.Join(",", (status.Addresses ?? []).Select(a => a.Value)).Should().Be(addresses);
    }

    [Fact]
    public void Service_has_name_ports_and_addresses_as_Envoy_Gateway_writes_them()
    {
        var service = GatewayService.Of(
            Evaluate(
                $"listeners: [{Http}, {{name: b, port: 80, protocol: HTTP, hostname: b.example}}, {{name: c, port: 8080, protocol: HTTP}}, "
                    + $"{MissingSecret}]\n  addresses: [{{value: 203.0.113.10}}]"
            )
        );

        // printf team/gw | sha256sum
        service.Metadata.Name.Should().Be("envoy-team-gw-3b3e720c");
        service.Spec.Ports.Select(p => $"{p.Name} {p.Port} {p.TargetPort.Value}").Should().Equal("http-80 80 10080", "http-8080 8080 8080");
        service.Spec.ExternalIPs.Should().Equal("203.0.113.10");
        service.Spec.AllocateLoadBalancerNodePorts.Should().BeFalse();
        GatewayService.GatewayOf(service).Should().Be(new ResourceKey("team", "gw"));
    }

    [Fact]
    public void Name_of_a_Service_has_at_most_63_characters() =>
        GatewayService.KeyOf(new ResourceKey(new string('n', 63), new string('g', 253))).Name.Should().HaveLength(63);

    private static GatewayEvaluation Evaluate(string spec) =>
        GatewayEvaluator.Evaluate(
            KubernetesJson.Deserialize<Gateway>(
                ManifestYaml.Read($"metadata: {{name: gw, namespace: team}}\nspec:\n  {spec}")[0].ToJsonString()
            ),
            new EmptyView()
        );
}
