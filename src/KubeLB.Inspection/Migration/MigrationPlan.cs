using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Inspection.Access;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Tenants;

namespace KubeLB.Inspection.Migration;

/// <summary>How much a finding of a migration plan matters.</summary>
public enum MigrationImpact
{
    /// <summary>The installation must not be migrated: traffic would stop.</summary>
    Blocks,

    /// <summary>Works differently, or not any longer, after the migration.</summary>
    Changes,
}

/// <summary>What a migration would change.</summary>
/// <param name="Impact">How much it matters.</param>
/// <param name="Subject">The object, with the tenant's names.</param>
/// <param name="Message">What changes.</param>
public sealed record MigrationFinding(MigrationImpact Impact, string Subject, string Message);

/// <summary>
/// What would change if this project's manager replaced the Go project's: translates the existing Routes with the code of the manager, and
/// compares nothing else. Pure.
/// </summary>
/// <param name="Routes">The number of Routes that were translated.</param>
/// <param name="Findings">What would change.</param>
public sealed record MigrationPlan(int Routes, IReadOnlyList<MigrationFinding> Findings)
{
    /// <summary>Reads the plan.</summary>
    /// <param name="management">The objects of the management cluster.</param>
    /// <param name="managerNamespace">Namespace of the manager and its Config.</param>
    /// <exception cref="InspectionException">The Routes or Tenants cannot be read.</exception>
    public static MigrationPlan Read(IObjects management, string managerNamespace)
    {
        ArgumentNullException.ThrowIfNull(management);
        var config = management.Get<Config>(managerNamespace, Config.DefaultName);
        var tenants = management.List<Tenant>();
        var routes = management.List<Route>();
        var loadBalancers = management.List<LoadBalancer>();
        if ((config.Unreadable ?? tenants.Unreadable ?? routes.Unreadable) is { } unreadable)
        {
            throw new InspectionException($"The plan needs the Config, Tenants and Routes: {unreadable}.");
        }

        var findings = new List<MigrationFinding>();
        findings.AddRange(
            loadBalancers.Items.Select(l => new MigrationFinding(
                MigrationImpact.Blocks,
                $"LoadBalancer {l.Namespace}/{l.Name}",
                "Layer 4 is not supported: the Service of type LoadBalancer loses its traffic."
            ))
        );
        Settings(findings, "Config", config.Value?.Spec);
        foreach (var tenant in tenants.Items)
        {
            Settings(findings, $"Tenant {tenant.Name}", tenant.Spec);
        }

        var byNamespace = tenants.Items.ToDictionary(t => TenantNames.Namespace(t.Name), StringComparer.Ordinal);
        foreach (var group in routes.Items.GroupBy(r => r.Namespace, StringComparer.Ordinal))
        {
            if (byNamespace.TryGetValue(group.Key, out var tenant))
            {
                Routed(findings, [.. group], TenantPolicy.Merge(config.Value, tenant, VersionedDefaults.Of(tenant)), tenant.Name);
            }
            else
            {
                findings.Add(
                    new MigrationFinding(
                        MigrationImpact.Changes,
                        $"Namespace {group.Key}",
                        "Its Routes belong to no Tenant: nothing is generated from them."
                    )
                );
            }
        }

        return new MigrationPlan(
            routes.Items.Count,
            [
                .. findings
                    .OrderBy(f => f.Impact)
                    .ThenBy(f => f.Subject, StringComparer.Ordinal)
                    .ThenBy(f => f.Message, StringComparer.Ordinal),
            ]
        );
    }

    private static void Settings(List<MigrationFinding> findings, string @object, LayeredSettings? settings) =>
        findings.AddRange(SettingsProblems.Find(settings).Select(p => new MigrationFinding(MigrationImpact.Changes, @object, p)));

    private static void Routed(List<MigrationFinding> findings, List<Route> routes, TenantPolicy policy, string tenant)
    {
        var view = new PlannedObjects(routes);
        var port = 0;
        foreach (var route in routes)
        {
            var origin = RouteOrigin.Of(route);
            var @object = $"{origin?.Kind ?? "Route"} {origin?.Namespace}/{origin?.Name} of tenant {tenant}";
            if (origin?.Kind is not (Gateway.KindName or HttpRoute.KindName or GrpcRoute.KindName))
            {
                findings.Add(
                    new MigrationFinding(
                        MigrationImpact.Blocks,
                        @object,
                        "The kind is not supported: it loses its traffic. Only Gateway, HTTPRoute and GRPCRoute are."
                    )
                );
                continue;
            }

            var plan = EnvoyGatewayTranslator.Translate(route, policy, view, _ => ++port);
            string?[] messages =
            [
                plan.Problem,
                plan.IgnoredFields,
                plan.UpcomingRejection,
                plan.Retries?.Problem,
                .. plan.UnservedListeners.Select(l => $"Listener {l.Name}: {l.Rejection.Message}"),
            ];
            findings.AddRange(messages.OfType<string>().Select(m => new MigrationFinding(MigrationImpact.Changes, @object, m)));
        }
    }

    // Every name is free, every certificate is there, and no limit of numbers is reached: the plan is about the objects themselves.
    private sealed class PlannedObjects : IManagementView
    {
        private readonly Dictionary<string, Route> _gateways = new(StringComparer.Ordinal);

        public PlannedObjects(IEnumerable<Route> routes)
        {
            foreach (var route in routes)
            {
                if (RouteOrigin.Of(route) is { Kind: Gateway.KindName } origin)
                {
                    _gateways.TryAdd(origin.Key, route);
                }
            }
        }

        public Route? GatewayRoute(string originNamespace, string originName) =>
            _gateways.GetValueOrDefault(RouteOrigin.KeyOf(Gateway.KindName, originNamespace, originName));

        public string? GatewayName(Route gateway) =>
            RouteOrigin.Of(gateway) is { } origin ? GeneratedNames.ForRoute(origin.Namespace, origin.Name) : null;

        public string? CertificateSecret(string originNamespace, string originName) => GeneratedNames.ForRoute(originNamespace, originName);

        public NameHolder HolderOf(string kind, string name) => NameHolder.Free;

        public Rejection? SizeRejection(Route route) => null;

        public bool IsWithinLimit(Route route) => true;

        public (int Existing, int Missing) CountServices(IEnumerable<string> names) => (0, 0);

        public bool IsHostnameInUse(Route route, string hostname) => false;
    }
}

/// <summary>A layer 4 load balancer of the Go project, which this project does not serve.</summary>
[k8s.Models.KubernetesEntity(
    Group = ApiGroups.Kubelb,
    ApiVersion = KubelbVersion.Name,
    Kind = "LoadBalancer",
    PluralName = "loadbalancers"
)]
internal sealed class LoadBalancer : ApiObject;
