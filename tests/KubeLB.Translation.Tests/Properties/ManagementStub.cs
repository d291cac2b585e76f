using System.Text.Json.Nodes;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.Tests.Properties;

/// <summary>A tenant's namespace where one Gateway has its name, one waits for it, and names are taken or not.</summary>
/// <param name="names">Who holds every name.</param>
internal sealed class ManagementStub(NameHolder names) : IManagementView
{
    public Route Named { get; } =
        ApiJson.Read<Route>(
            JsonNode.Parse(
                """{ "metadata": { "name": "g", "namespace": "tenant-t" }"""
                    + """, "status": { "resources": { "route": { "generatedName": "bench-kubelb" } } } }"""
            )!
        );

    public Route? GatewayRoute(string originNamespace, string originName) =>
        (originNamespace, originName) switch
        {
            ("bench", "kubelb") => Named,
            ("bench", "new") => new Route(),
            _ => null,
        };

    public string? GatewayName(Route gateway) => gateway.Status?.Resources?.Route?.GeneratedName;

    /// <summary>The Secret of every certificate; null if there is none.</summary>
    public string? Certificate { get; init; }

    public string? CertificateSecret(string originNamespace, string originName) => Certificate;

    public Rejection? SizeRejection(Route route) => null;

    public bool IsWithinLimit(Route route) => true;

    public bool IsHostnameInUse(Route route, string hostname) => false;

    /// <summary>The number of Services of the tenant; none has a name that is asked for.</summary>
    public int Services { get; init; }

    public (int Existing, int Missing) CountServices(IEnumerable<string> names) => (Services, names.Count());

    public NameHolder HolderOf(string kind, string name) => names;
}
