using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using KubeLB.Api.V1Alpha1;
using KubeLB.Ccm.Hosting;
using KubeLB.Charts.Tests.Support;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Controllers;
using KubeLB.Tests.Shared;
using KubeLB.Translation.Tenants;
using KubeLB.Xds.Discovery;

namespace KubeLB.Charts.Tests.Reference;

/// <summary>
/// <c>docs/reference/limits.md</c> lists every limit with its value; it is written with <c>KUBELB_UPDATE_GOLDEN=1</c> from
/// <see cref="TenantPolicy"/>, <see cref="XdsOptions"/>, and constants. A limit of these types, or a constant with the name of a limit,
/// that is neither on the page nor among <see cref="Internal"/> makes these tests fail.
/// </summary>
public sealed partial class LimitReferenceTests
{
    private const BindingFlags Any = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private const string Tenants = "Node addresses and ports";
    private const string Routes = "Routes and Gateways";
    private const string Secrets = "Secrets and tokens";
    private const string Proxies = "Tenant proxies";
    private const string Reports = "Conditions, Events and metrics";
    private const string Dashboard = "Dashboard";

    private static readonly Assembly[] Assemblies =
    [
        typeof(SizeLimits).Assembly,
        typeof(TenantPolicy).Assembly,
        typeof(IReconciler).Assembly,
        typeof(XdsOptions).Assembly,
        typeof(CcmHost).Assembly,
        typeof(ManagerHost).Assembly,
        typeof(Inspection.Dashboard.DashboardServer).Assembly,
    ];

    // Where each default of TenantPolicy is set in Config and Tenant.
    private static readonly Dictionary<string, string> SettingOf = new(StringComparer.Ordinal)
    {
        [nameof(TenantPolicy.GatewayLimit)] = "gatewayAPI.gateway.limit",
        [nameof(TenantPolicy.RouteLimit)] = "gatewayAPI.route.limit",
        [nameof(TenantPolicy.MaxRetries)] = "gatewayAPI.maxRetries",
        [nameof(TenantPolicy.MaxRouteBytes)] = "limits.routeBytes",
        [nameof(TenantPolicy.MaxTotalBytes)] = "limits.totalBytes",
        [nameof(TenantPolicy.MaxServices)] = "limits.services",
        [nameof(TenantPolicy.MaxTotalServices)] = "limits.totalServices",
        [nameof(TenantPolicy.MaxPorts)] = "limits.ports",
        [nameof(TenantPolicy.MaxListeners)] = "limits.listeners",
        [nameof(TenantPolicy.MaxHostnames)] = "limits.hostnames",
        [nameof(TenantPolicy.MaxBackends)] = "limits.backends",
    };

    // Constants by their class and name: what is limited, what happens beyond it, and the setting if there is one.
    private static readonly Bound[] Bounds =
    [
        new("AddressPolicy.DefaultMaximum", Tenants, "Node addresses of a tenant", "Further addresses are rejected.", "addresses.maximum"),
        new("NodePortRanges.MaxLength", Tenants, "Characters of `addresses.nodePorts`", "The setting is invalid."),
        new(
            "TenantConfiguration.MaxEndpointBytes",
            Tenants,
            "Node addresses times node ports of a tenant, in bytes of configuration",
            "Further node ports get no endpoints; condition `Accepted` of the Addresses reports it."
        ),
        new("TenantPorts.First", Tenants, "First port of the tenant proxies for Services", ""),
        new("TenantPorts.Last", Tenants, "Last port of the tenant proxies for Services", "A route without a free port is not served."),
        new("RouteSpecJson.MaxSize", Routes, "Bytes of the spec of one Route", "The spec is dropped when it is read.", Note: Both),
        new("RouteSpecJson.MaxDepth", Routes, "Nested objects and lists of the spec of a Route", "The Route is rejected."),
        new(
            "RouteAdmission.MaxInList",
            Routes,
            "Bytes of one tenant's Routes in a list",
            "Further specs are dropped until the Routes are compared with the limits."
        ),
        new(
            "RouteGenerator.MaxParentRefs",
            Routes,
            "parentRefs of one generated route (Gateway API)",
            "Further ones are in another generated route."
        ),
        new(
            "RouteGenerator.MaxListeners",
            Routes,
            "Listeners to which one route attaches",
            "The route is rejected, reason `UnsupportedValue`."
        ),
        new(
            "HostnameClaims.MaxListeners",
            Routes,
            "Listeners of a Gateway whose hostnames are compared with those of other tenants",
            "None is compared."
        ),
        new(
            "HostnameClaims.MaxHostnames",
            Routes,
            "Hostnames of a route that are compared with those of other tenants",
            "None is compared."
        ),
        new(
            "AllowedDomains.MaxPatternLength",
            Routes,
            "Characters of an entry of `allowedDomains`",
            "The entry is invalid and allows nothing."
        ),
        new("ServiceDrain.MaxServices", Routes, "Services of a Route that are draining", "All of them are removed at once."),
        new("GeneratedNames.MaxLength", Routes, "Characters of generated names", "Longer names are cut and end with a hash."),
        new("SecretCopyTranslator.MaxSize", Secrets, "Bytes of all values of a Secret that is copied", "The Secret is rejected."),
        new("ServiceAccountToken.MaxLength", Secrets, "Characters of a ServiceAccount token", "The token is not recognized."),
        new("ProxySettings.DefaultReplicas", Proxies, "Proxy pods of a tenant", "", "envoyProxy.replicas"),
        new("ProxySettingsReader.MaxReplicas", Proxies, "Maximum of `envoyProxy.replicas`", "The value is ignored."),
        new(
            "ProxyHeaderLimits.MaxKilobytes",
            Proxies,
            "KiB of the headers of a request or response",
            "A request gets status 431; a response is replaced by 502.",
            "envoyProxy.headerLimits"
        ),
        new(
            "ProxyHeaderLimits.DefaultCount",
            Proxies,
            "Headers of a request or response",
            "A request gets status 431.",
            "envoyProxy.headerLimits"
        ),
        new(
            "ProxyDrain.DefaultGracePeriodSeconds",
            Proxies,
            "Seconds until a stopped proxy pod is killed",
            "",
            "envoyProxy.gracefulShutdown"
        ),
        new("ProxySettingsReader.MinHeap", Proxies, "Minimum of `envoyProxy.overloadManager.maxHeapSizeBytes`", "The value is ignored."),
        new("ClusterResource.Unlimited", Proxies, "Connections, pending requests, requests and retries of a proxy to one node port", ""),
        new("NodeHealth.Attempts", Proxies, "Connection attempts for one request", ""),
        new(
            "NodeHealth.BufferedBytes",
            Proxies,
            "Bytes of a request body that is buffered until a connection is established",
            "The request is not retried."
        ),
        new("NodeHealth.StreamsPerConnection", Proxies, "Requests on one HTTP/2 connection to a node", ""),
        new("ConditionSet.MessageLimit", Reports, "Characters of a condition's message", "The message is cut."),
        new(
            "ConditionPrecedence.Maximum",
            Reports,
            "Conditions of a Gateway, a listener and a parent of a route (Gateway API)",
            "The least important ones are omitted."
        ),
        new("SettingsProblems.MaxMessageLength", Reports, "Characters of the message of `SettingsValid`", "Further problems are omitted."),
        new(
            "FieldFilter.MaxReported",
            Reports,
            "Ignored fields of an object that are reported by name",
            "Further ones are ignored without their names."
        ),
        new("EnvoyText.MaxLength", Reports, "Characters of an error of Envoy", "The text is cut."),
        new("RecordedEvent.MaxMessageLength", Reports, "Characters of an Event's message", "The message is cut."),
        new("EventCorrelator.Burst", Reports, "Events of one object in a burst, then one in five minutes", "Further Events are dropped."),
        new("EventRecorder.Capacity", Reports, "Events that wait to be written", "Further Events are dropped."),
        new("EventRecorder.MaxAttempts", Reports, "Attempts to write an Event", "The Event is dropped."),
        new(
            "ProxyEvents.Limit",
            Reports,
            "Rejections and denials of proxies that are stored",
            "Further ones are only in the log and the metrics."
        ),
        new(
            "ChangeTracer.MaxOpenOfTenant",
            Reports,
            "Changes of a tenant that are traced at the same time",
            "Further changes are not traced."
        ),
        new("ChangeTracer.MaxOpen", Reports, "Changes of a process that are traced at the same time", "Further changes are not traced."),
        new("RouteMetrics.TenantLimit", Reports, "Tenants with a series of `not_applied_routes`", "The others are counted together."),
        new("XdsDebugPage.MaxNames", Reports, "Names per list in `/debug/xds`", "Further ones are counted."),
        new("DashboardFeed.MaxReaders", Dashboard, "Pages that are open at once", "Further ones are rejected."),
        new("DashboardTraffic.MaxTenantsOfPage", Dashboard, "Tenants whose metrics one page reads", "The others have no figures."),
        new("DashboardTraffic.MaxTenants", Dashboard, "Tenants whose metrics all pages read", "The others have no figures."),
        new("RowTable.MaxMessage", Dashboard, "Characters of a message in the list", "The message is cut."),
    ];

    private const string Both = "`limits.routeBytes` can only lower it";

    // Constants with the name of a limit that users do not notice.
    private static readonly string[] Internal =
    [
        "DelayTracker.CleanupThreshold",
        "EventCorrelator.CacheSize",
        "GatewayApiSettings.DefaultMaxRetries",
        "Labels.MaxValueLength",
        "Misspellings.MaxCandidates",
        "RouteSpecContent.MaxIdentitySize",
        "RowTable.MaxName",
        "TenantSummaryReconciler.Burst",
        "TrafficSampler.MaxParallel",
        "XdsRejection.MaxMessageLength",
        "XdsRejection.MaxNames",
    ];

    [Fact]
    public void Page_lists_every_limit()
    {
        var page = new ReferencePage("KubeLB.Charts.Tests", "docs/reference/limits.md")
            .Title("Limits", "the types and constants of the limits")
            .Paragraph(
                """
                The administrator sets the limits of the first table in the spec of the Config, or of a Tenant for that tenant
                ([settings.md](../operator/settings.md#limits)). The others are fixed, unless the table names a setting. The
                definitions of the kinds limit the length of each field as well: [config.md](config.md), [crds.md](crds.md). Delays and
                intervals are in [delays.md](delays.md).
                """
            )
            .Heading(2, "Objects of a tenant")
            .Line(
                "An object beyond a limit is rejected: `Accepted=False`, reason `LimitExceeded`. A Tenant that existed before version "
                    + $"{VersionedDefaults.Current} has the last column until version {VersionedDefaults.Next}"
            )
            .Line("([defaults of existing tenants](../operator/settings.md#defaults-of-existing-tenants)). With too many retries in")
            .Line("annotations, no retry policy is applied, reason `InvalidAnnotation`.")
            .Line()
            .Table(
                ["limit", "setting", "default", "earlier default"],
                PolicyLimits()
                    .Select(p =>
                        (string[])
                            [
                                ReferencePage.Cell(XmlDocumentation.MarkdownOf(p).TrimEnd('.')),
                                ReferencePage.Code(SettingOf[p.Name]),
                                Number(p.GetValue(TenantPolicy.Default)!, p.Name),
                                Number(p.GetValue(VersionedDefaults.Of(new Tenant { Metadata = new() }))!, p.Name),
                            ]
                    )
            );
        foreach (var group in Bounds.GroupBy(b => b.Group))
        {
            page.Heading(2, group.Key)
                .Table(
                    ["limit", "value", "beyond it", "setting"],
                    group.Select(b =>
                        (string[])
                            [
                                b.Limit,
                                Number(ConstantOf(b.Constant).GetRawConstantValue()!, b.Limit),
                                b.Beyond,
                                b.Setting is { } setting ? ReferencePage.Code(setting) : b.Note ?? "",
                            ]
                    )
                );
        }

        page.Heading(2, "xDS server")
            .Line("Between the tenant proxies and the manager.")
            .Line()
            .Table(
                ["limit", "value", "note"],
                XdsLimits()
                    .Select(p =>
                    {
                        var text = XmlDocumentation.MarkdownOf(p).Split(". ", 2);
                        return (string[])
                            [
                                ReferencePage.Cell(text[0].TrimEnd('.')),
                                Number(p.GetValue(new XdsOptions())!, p.Name),
                                ReferencePage.Cell(text.ElementAtOrDefault(1) ?? ""),
                            ];
                    })
            )
            .Check();
    }

    [Fact]
    public void Every_limit_of_the_policy_has_a_setting_of_Config_and_Tenant()
    {
        PolicyLimits().Select(p => p.Name).Should().BeEquivalentTo(SettingOf.Keys);
        typeof(SizeLimits)
            .GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Select(p => $"limits.{char.ToLowerInvariant(p.Name[0])}{p.Name[1..]}")
            .Should()
            .BeSubsetOf(SettingOf.Values, "limits.md lists each limit of the settings");
        foreach (var file in new[] { "configs", "tenants" })
        {
            var spec = Yaml.Read(File.ReadAllText(Path.Combine(SourceTree.Root, "deploy", "crds", $"kubelb.k8c.io_{file}.yaml"))).Single()[
                "spec"
            ]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!["properties"]!["spec"]!;
            foreach (var (name, setting) in SettingOf)
            {
                var field = setting.Split('.').Aggregate(spec, (node, part) => node["properties"]![part]!);
                var @default = typeof(TenantPolicy).GetProperty(name)!.GetValue(TenantPolicy.Default);
                var described = DefaultInText().Match(field["description"]!.GetValue<string>());
                if (described.Success)
                {
                    described
                        .Groups[1]
                        .Value.Should()
                        .Be(Convert.ToString(@default, CultureInfo.InvariantCulture), "{0} of {1}", setting, file);
                }
            }
        }
    }

    [Fact]
    public void Every_constant_with_the_name_of_a_limit_is_listed() =>
        Assemblies
            .SelectMany(a => a.GetTypes())
            // Without the generated types of protos.
            .Where(t => t.Namespace?.StartsWith(nameof(KubeLB), StringComparison.Ordinal) == true)
            .SelectMany(t => t.GetFields(Any))
            .Where(f => f is { IsLiteral: true, IsPrivate: false } && LimitName().IsMatch(f.Name))
            .Where(f =>
                !f.DeclaringType!.IsEnum && (f.FieldType == typeof(int) || f.FieldType == typeof(long) || f.FieldType == typeof(uint))
            )
            .Select(f => $"{f.DeclaringType!.Name}.{f.Name}")
            .Except(Bounds.Select(b => b.Constant))
            .Should()
            .BeEquivalentTo(Internal, "a limit is in {0} or {1}", nameof(Bounds), nameof(Internal));

    private static IEnumerable<PropertyInfo> PolicyLimits() =>
        typeof(TenantPolicy).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.PropertyType == typeof(int));

    private static IEnumerable<PropertyInfo> XdsLimits() =>
        typeof(XdsOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.PropertyType == typeof(int));

    private static FieldInfo ConstantOf(string name) =>
        Assemblies
            .SelectMany(a => a.GetTypes())
            .Where(t => t.Name == name.Split('.')[0])
            .Select(t => t.GetField(name.Split('.')[1], Any))
            .OfType<FieldInfo>()
            .Single();

    // Bytes also in KiB or MiB, if they are a whole number of them.
    private static string Number(object value, string name)
    {
        var number = Convert.ToInt64(value, CultureInfo.InvariantCulture);
        var text = number.ToString(CultureInfo.InvariantCulture);
        return number == int.MaxValue ? "none"
            : !name.Contains("bytes", StringComparison.OrdinalIgnoreCase) || number % (number < 1024 * 1024 ? 1024 : 1024 * 1024) != 0
                ? text
            : number % (1024 * 1024) == 0 ? string.Create(CultureInfo.InvariantCulture, $"{text} ({number >> 20} MiB)")
            : string.Create(CultureInfo.InvariantCulture, $"{text} ({number >> 10} KiB)");
    }

    [GeneratedRegex(@"\bDefault ([0-9]+)\b")]
    private static partial Regex DefaultInText();

    [GeneratedRegex("Max|Min|Limit|Capacity|Burst|Threshold|Attempts|Default|CacheSize")]
    private static partial Regex LimitName();

    private sealed record Bound(string Constant, string Group, string Limit, string Beyond, string? Setting = null, string? Note = null);
}
