using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Inspection.Access;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Tenants;

namespace KubeLB.Inspection.Overview;

/// <summary>The state of an installation, from the objects of the management cluster.</summary>
/// <param name="Version">Version of the manager, from the Config; null if it has not reported.</param>
/// <param name="Problems">The conditions of the Config that are not True, and what could not be read.</param>
/// <param name="Tenants">The tenants by name.</param>
/// <param name="Certificates">The certificates of xDS, the first that expires first.</param>
public sealed record InstallationStatus(
    string? Version,
    IReadOnlyList<StatusProblem> Problems,
    IReadOnlyList<TenantRow> Tenants,
    IReadOnlyList<CertificateRow> Certificates
)
{
    // The CCM reports every five minutes, with the time of its cluster.
    private static readonly TimeSpan SkewLimit = TimeSpan.FromMinutes(1);

    /// <summary>Whether there is no problem.</summary>
    public bool IsHealthy => Problems.All(p => p.IsWarning) && Tenants.All(t => t.Problems.Count == 0);

    /// <summary>Reads the state.</summary>
    /// <param name="management">The objects of the management cluster.</param>
    /// <param name="managerNamespace">Namespace of the manager and its Config.</param>
    /// <param name="now">The current time.</param>
    public static InstallationStatus Read(IObjects management, string managerNamespace, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(management);
        var config = management.Get<Config>(managerNamespace, Config.DefaultName);
        var tenants = management.List<Tenant>();
        var routes = management.List<Route>();
        var addresses = management.List<Addresses>();
        var secrets = management.List<V1Secret>(managerNamespace, $"{Labels.ManagedBy}={Labels.ManagedByKubelb}");
        var problems = new List<StatusProblem>();
        problems.AddRange(
            (config.Value?.Status?.Conditions ?? [])
                .Where(c => c.Status != ConditionStatus.True)
                .Select(c => new StatusProblem(c.Reason, c.Message)
                {
                    IsWarning = c.Type is SettingsConditions.DomainsRestricted or SettingsConditions.ManagementRangesKnown,
                })
        );
        var certificates = secrets.Items.SelectMany(Certificate).OrderBy(c => c.NotAfter).ToList();
        problems.AddRange(
            certificates
                .Where(c => c.NotAfter < now)
                .Select(c => new StatusProblem(
                    "CertificateExpired",
                    $"The certificate of Secret {c.Secret} has expired. Delete the Secret; the manager issues a new one."
                ))
        );
        if (secrets.Unreadable is { } hidden)
        {
            problems.Add(new StatusProblem("NotRead", $"Certificates: {hidden}.") { IsWarning = true });
        }

        if (config.IsAbsent)
        {
            problems.Add(
                new StatusProblem(
                    "ConfigNotFound",
                    $"Config {managerNamespace}/{Config.DefaultName} does not exist; the defaults apply and nothing is reported in it."
                )
            );
        }

        problems.AddRange(
            new[] { config.Unreadable, tenants.Unreadable, routes.Unreadable, addresses.Unreadable }
                .OfType<string>()
                .Distinct(StringComparer.Ordinal)
                .Select(u => new StatusProblem("NotRead", u))
        );
        var version = config.Value?.Status?.Version?.GitVersion;
        var byTenant = routes.Items.ToLookup(r => r.Namespace, StringComparer.Ordinal);
        var reports = addresses.Items.Where(a => a.Name == Addresses.DefaultName).ToDictionary(a => a.Namespace, StringComparer.Ordinal);
        return new InstallationStatus(
            version,
            problems,
            [
                .. tenants
                    .Items.OrderBy(t => t.Name, StringComparer.Ordinal)
                    .Select(t =>
                        Row(
                            t,
                            config.Value,
                            [.. byTenant[TenantNames.Namespace(t.Name)]],
                            reports.GetValueOrDefault(TenantNames.Namespace(t.Name)),
                            version,
                            now
                        )
                    ),
            ],
            certificates
        );
    }

    private static TenantRow Row(
        Tenant tenant,
        Config? config,
        List<Route> routes,
        Addresses? report,
        string? managerVersion,
        DateTimeOffset now
    )
    {
        var policy = TenantPolicy.Merge(config, tenant);
        var kinds = routes.ToLookup(r => RouteOrigin.Of(r)?.Kind == Gateway.KindName);
        var seen = CcmAnnotations.LastSeenOf(report);
        var ccm = CcmAnnotations.CcmVersionOf(report);
        var problems = (tenant.Status?.Conditions ?? [])
            .Where(c => c.Status == ConditionStatus.False)
            .Select(c => new StatusProblem(c.Reason, c.Message))
            .ToList();
        if (
            report?.Status?.Conditions?.Find(c => c is { Type: AddressesConditions.Accepted, Status: ConditionStatus.False }) is
            { } rejected
        )
        {
            problems.Add(new StatusProblem(rejected.Reason, rejected.Message));
        }

        if (seen is { } reported && reported - now > SkewLimit)
        {
            problems.Add(
                new StatusProblem(
                    "ClockSkew",
                    $"The clock of the tenant's cluster is {(int)(reported - now).TotalSeconds} s ahead. Synchronize the clocks."
                )
            );
        }

        if (ccm is not null && managerVersion is not null && Minor(ccm) != Minor(managerVersion))
        {
            problems.Add(
                new StatusProblem("VersionSkew", $"The CCM has version {ccm}, the manager {managerVersion}. Upgrade the older one.")
            );
        }

        return new TenantRow(tenant.Name, tenant.Status?.Phase ?? "Unknown", problems.DistinctBy(p => p.Message).ToList())
        {
            CcmVersion = ccm,
            CcmLastSeen = seen,
            Routes = Count([.. kinds[false]]),
            Gateways = Count([.. kinds[true]]),
            RouteLimit = policy.RouteLimit,
            GatewayLimit = policy.GatewayLimit,
            Proxies = tenant.Status?.Summary?.Proxies,
            Addresses = report?.Spec?.Addresses?.Count ?? 0,
        };
    }

    private static RouteCounts Count(List<Route> routes) =>
        new(
            routes.Count,
            routes.Count(r => StateOf(r) == ConditionStatus.True),
            routes.Count(r => StateOf(r) == ConditionStatus.False),
            routes.Count(r => StateOf(r) == ConditionStatus.Unknown)
        );

    private static string StateOf(Route route)
    {
        var conditions = (route.Status?.Conditions ?? [])
            .Where(c => c.Type is RouteConditions.Accepted or RouteConditions.Programmed)
            .Select(c => c.Status)
            .ToList();
        return conditions.Contains(ConditionStatus.False) ? ConditionStatus.False
            : conditions.Count > 0 && conditions.TrueForAll(c => c == ConditionStatus.True) ? ConditionStatus.True
            : ConditionStatus.Unknown;
    }

    private static string Minor(string version) => string.Join('.', version.TrimStart('v').Split('.').Take(2));

    private static IEnumerable<CertificateRow> Certificate(V1Secret secret)
    {
        using var certificate = Access.Certificates.Read(secret);
        if (certificate is not null)
        {
            yield return new CertificateRow(
                $"{secret.Namespace()}/{secret.Name()}",
                new DateTimeOffset(certificate.NotAfter).ToUniversalTime()
            );
        }
    }
}

/// <summary>A problem.</summary>
/// <param name="Reason">The reason of the condition.</param>
/// <param name="Message">The problem and the remedy.</param>
public sealed record StatusProblem(string Reason, string Message)
{
    /// <summary>Whether it is only a recommendation.</summary>
    public bool IsWarning { get; init; }
}

/// <summary>The state of a tenant.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Phase">The phase of the Tenant.</param>
/// <param name="Problems">Its problems.</param>
public sealed record TenantRow(string Name, string Phase, IReadOnlyList<StatusProblem> Problems)
{
    /// <summary>Version of the CCM; null if none has reported.</summary>
    public string? CcmVersion { get; init; }

    /// <summary>When the CCM last reported; null if none has.</summary>
    public DateTimeOffset? CcmLastSeen { get; init; }

    /// <summary>HTTPRoutes and GRPCRoutes.</summary>
    public RouteCounts Routes { get; init; } = new(0, 0, 0, 0);

    /// <summary>Gateways.</summary>
    public RouteCounts Gateways { get; init; } = new(0, 0, 0, 0);

    /// <summary>Maximum number of routes.</summary>
    public int RouteLimit { get; init; }

    /// <summary>Maximum number of Gateways.</summary>
    public int GatewayLimit { get; init; }

    /// <summary>Ready proxies of all, for example <c>2/3</c>; null if there are none.</summary>
    public string? Proxies { get; init; }

    /// <summary>Number of node addresses.</summary>
    public int Addresses { get; init; }
}

/// <summary>Objects by state.</summary>
/// <param name="Total">All.</param>
/// <param name="Programmed">Those that are served.</param>
/// <param name="Rejected">Those that are not served, or not completely.</param>
/// <param name="Pending">Those that are under way.</param>
public sealed record RouteCounts(int Total, int Programmed, int Rejected, int Pending);

/// <summary>A certificate.</summary>
/// <param name="Secret">Its Secret.</param>
/// <param name="NotAfter">When it expires.</param>
public sealed record CertificateRow(string Secret, DateTimeOffset NotAfter);
