using System.Text.Json.Nodes;
using KubeLB.Translation.Endpoints;
using KubeLB.Translation.Matching;

namespace KubeLB.Translation.Tests.Golden;

/// <summary>The document <c>kind: Settings</c> of a case; every field may be absent.</summary>
internal sealed record Settings
{
    private static readonly string[] Known =
    [
        "kind",
        "tenantNamespace",
        "useGatewayClass",
        "nodeAddressType",
        "nodeAddressLabelSelector",
        "maxNodeAddressCount",
        "carriesGateways",
        "refusal",
        "nodePorts",
        "nodePortServiceErrors",
        "enforceReferenceGrants",
        "synchronizesSecrets",
    ];

    /// <summary>Time of every transition.</summary>
    public const string Now = "2026-01-02T03:04:05Z";

    public string TenantNamespace { get; private init; } = "tenant-t";

    public bool UseGatewayClass { get; private init; } = true;

    public NodeAddressSettings NodeAddresses { get; private init; } = new("ExternalIP");

    /// <summary>Why the management cluster rejects all objects; null if it does not.</summary>
    public string? Rejection { get; private init; }

    public bool IsGatewayControllerEnabled { get; private init; } = true;

    public bool EnforceReferenceGrants { get; private init; }

    /// <summary>Whether labelled Secrets are synced too.</summary>
    public bool SynchronizesSecrets { get; private init; }

    /// <summary>Whether new node-port Services get node ports immediately, 30000 and up; false if the case sets them.</summary>
    public bool AllocatesNodePorts { get; private init; } = true;

    /// <summary>Why node-port Services cannot be written, by <c>namespace/name</c> of their Service.</summary>
    public IReadOnlyDictionary<string, string> NodePortServiceErrors { get; private init; } = new Dictionary<string, string>();

    public static Settings Of(JsonObject? document)
    {
        if (document is null)
        {
            return new Settings();
        }

        document.Select(p => p.Key).Should().BeSubsetOf(Known);
        var defaults = new Settings();
        return new Settings
        {
            TenantNamespace = document["tenantNamespace"]?.GetValue<string>() ?? defaults.TenantNamespace,
            UseGatewayClass = document["useGatewayClass"]?.GetValue<bool>() ?? defaults.UseGatewayClass,
            NodeAddresses = new NodeAddressSettings(
                document["nodeAddressType"]?.GetValue<string>() ?? defaults.NodeAddresses.AddressType,
                LabelSelectors.Parse(document["nodeAddressLabelSelector"]?.GetValue<string>()),
                (int?)document["maxNodeAddressCount"]?.GetValue<long>() ?? 0
            ),
            Rejection = document["refusal"]?.GetValue<string>(),
            IsGatewayControllerEnabled = document["carriesGateways"]?.GetValue<bool>() ?? defaults.IsGatewayControllerEnabled,
            EnforceReferenceGrants = document["enforceReferenceGrants"]?.GetValue<bool>() ?? defaults.EnforceReferenceGrants,
            SynchronizesSecrets = document["synchronizesSecrets"]?.GetValue<bool>() ?? defaults.SynchronizesSecrets,
            NodePortServiceErrors = (document["nodePortServiceErrors"] as JsonObject ?? []).ToDictionary(
                p => p.Key,
                p => p.Value!.GetValue<string>()
            ),
            AllocatesNodePorts = document["nodePorts"]?.GetValue<string>() != "given",
        };
    }
}
