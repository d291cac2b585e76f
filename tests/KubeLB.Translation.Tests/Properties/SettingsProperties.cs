using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Properties;

/// <summary>Whatever a tenant writes, what is generated keeps to the operator's settings.</summary>
public sealed class SettingsProperties
{
    private const int Iterations = 5_000;

    private static readonly TenantPolicy Restrictive = TenantPolicy.Merge(
        new Config
        {
            Spec = new ConfigSpec
            {
                GatewayAPI = new() { DisableGRPCRoute = true },
                AllowedDomains = ["*.example.com"],
                PropagateAllAnnotations = true,
                DeniedAnnotations = ["a"],
                DefaultAnnotations = new() { ["all"] = new() { ["team"] = "edge" } },
            },
        },
        tenant: null
    );

    [Fact]
    [Trait("Threat", "envoy-gateway-annotations")]
    [Trait("Threat", "hostnames")]
    public void Generated_objects_have_only_allowed_hostnames_and_annotations()
    {
        var generated = 0;
        HostileRoutes.Json.Sample(
            json =>
            {
                if (Read(json) is not { } route)
                {
                    return;
                }

                var translation = EnvoyGatewayTranslator.Translate(route, Restrictive, new ManagementStub(NameHolder.Free), _ => 10_000);
                if (translation.Generated is null)
                {
                    return;
                }

                Interlocked.Increment(ref generated);
                Hostnames(translation.Generated).Where(h => !Restrictive.Domains.Allows(h)).Should().BeEmpty();
                translation.Generated.Should().NotBeOfType<GrpcRoute>();
                foreach (var metadata in translation.Services.Select(p => p.Service.Metadata).Append(translation.Generated.Metadata))
                {
                    metadata.Annotations.Should().Contain("team", "edge");
                    metadata
                        .Annotations.Keys.Except([Annotations.NodePorts])
                        .Should()
                        .NotContain(k =>
                            k == "a"
                            || k.StartsWith("kubelb.k8c.io/", StringComparison.Ordinal)
                            || k.StartsWith("gateway.envoyproxy.io/", StringComparison.Ordinal)
                        );
                }
            },
            iter: Iterations,
            print: json => json.ToJsonString()
        );

        generated.Should().BePositive("otherwise nothing was looked at");
    }

    private static IEnumerable<string?> Hostnames(object generated) =>
        generated switch
        {
            Gateway gateway => (gateway.Spec?.Listeners ?? []).Select(l => l.Hostname),
            IGatewayRoute route => route.Hostnames,
            _ => [],
        };

    private static Route? Read(JsonObject json)
    {
        try
        {
            return ApiJson.Read<Route>(json);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or NotSupportedException)
        {
            return null;
        }
    }
}
