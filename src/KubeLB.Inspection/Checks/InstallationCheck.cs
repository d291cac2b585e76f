using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Inspection.Access;
using KubeLB.Inspection.Tracing;
using KubeLB.Translation.Endpoints;
using KubeLB.Translation.Tenants;

namespace KubeLB.Inspection.Checks;

/// <summary>
/// Checks both clusters before or after an installation. Pure: reads objects by look-ups only, with the permissions of the user.
/// </summary>
/// <param name="tenant">The objects of a tenant's cluster.</param>
/// <param name="management">The objects of the management cluster.</param>
/// <param name="settings">What to check.</param>
/// <param name="now">The current time.</param>
public sealed class InstallationCheck(IObjects tenant, IObjects management, CheckSettings settings, DateTimeOffset now)
{
    private const string BundleVersion = "gateway.networking.k8s.io/bundle-version";
    private const string Channel = "gateway.networking.k8s.io/channel";

    private static readonly string[] GatewayApiKinds = ["gatewayclasses", "gateways", "httproutes", "grpcroutes", "referencegrants"];
    private static readonly string[] ManagementKinds = ["addresses", "configs", "routes", "syncsecrets", "tenants", "tenantstates"];

    // Certificates are renewed long before.
    private static readonly TimeSpan CertificateWarning = TimeSpan.FromDays(7);
    private static readonly TimeSpan SkewLimit = TimeSpan.FromSeconds(30);

    /// <summary>Runs the checks.</summary>
    public IReadOnlyList<CheckResult> Run() => [.. settings.HasManagement ? Management() : [], .. settings.HasTenant ? Tenant() : []];

    private IEnumerable<CheckResult> Management()
    {
        const string Group = "Management cluster";
        yield return GatewayApi(Group, management);
        yield return Definition(
            Group,
            management,
            "backendtrafficpolicies.gateway.envoyproxy.io",
            "Envoy Gateway's definitions are installed",
            "Install Envoy Gateway; without its definitions, retry annotations have no effect."
        );
        yield return Deployment(
            Group,
            management,
            settings.EnvoyGatewayNamespace,
            "envoy-gateway",
            "Envoy Gateway runs",
            "Install Envoy Gateway, or set --envoy-gateway-namespace."
        );
        var config = management.Get<Config>(settings.ManagerNamespace, Config.DefaultName);
        yield return ManagementClass(Group, config.Value);
        if (settings.IsBeforeInstallation)
        {
            yield break;
        }

        foreach (var kind in ManagementKinds)
        {
            yield return Definition(
                Group,
                management,
                $"{kind}.{ApiGroups.Kubelb}",
                $"Definition {kind}.{ApiGroups.Kubelb} is installed",
                "Install the chart kubelb-manager, or apply deploy/crds."
            );
        }

        yield return Deployment(
            Group,
            management,
            settings.ManagerNamespace,
            "kubelb-manager",
            "The manager runs",
            "Install the chart kubelb-manager, or set --manager-namespace; see its pods and log."
        );
        yield return Leader(Group);
        foreach (var result in ConfigConditions(Group, config))
        {
            yield return result;
        }

        foreach (var result in XdsCertificates(Group))
        {
            yield return result;
        }
    }

    private IEnumerable<CheckResult> Tenant()
    {
        const string Group = "Tenant cluster";
        var flags = CcmFlags.Read(tenant, null);
        var selected = settings.NodeAddressType is { } type ? flags.NodeAddresses with { AddressType = type } : flags.NodeAddresses;
        if (!settings.HasManagement && tenant.Get<V1CustomResourceDefinition>("", $"tenants.{ApiGroups.Kubelb}").Value is not null)
        {
            yield return new CheckResult(Group, "The cluster is a tenant's", CheckState.Warning)
            {
                Reason = $"It has the definition tenants.{ApiGroups.Kubelb}, which belongs in the management cluster.",
                Hint = "To check a management cluster, use --management-kubeconfig or --management-context.",
            };
        }

        yield return GatewayApi(Group, tenant);
        yield return Nodes(Group, selected);
        if (settings.IsBeforeInstallation)
        {
            yield break;
        }

        yield return Deployment(
            Group,
            tenant,
            settings.CcmNamespace,
            "kubelb-ccm",
            "The CCM runs",
            "Install the chart kubelb-ccm, or set --ccm-namespace; see its pods and log."
        );
        yield return Flags(Group, flags);
        yield return TenantClass(Group);
        if (!settings.HasManagement)
        {
            yield return NodePorts(Group, selected);
        }
    }

    private static CheckResult GatewayApi(string group, IObjects cluster)
    {
        const string Name = "Gateway API is installed";
        var definitions = GatewayApiKinds
            .Select(kind => (Kind: kind, Seen: cluster.Get<V1CustomResourceDefinition>("", $"{kind}.{ApiGroups.GatewayApi}")))
            .ToList();
        if (definitions.Find(d => d.Seen.Unreadable is not null).Seen.Unreadable is { } unreadable)
        {
            return NotChecked(group, Name, unreadable);
        }

        var missing = definitions.Where(d => d.Seen.Value is null).Select(d => d.Kind).ToList();
        if (missing.Count > 0)
        {
            return new CheckResult(group, Name, CheckState.Failed)
            {
                Reason = $"Missing: {string.Join(", ", missing)}.",
                Hint = "Install the definitions of Gateway API, version 1.2 or later.",
            };
        }

        var versions = definitions.Select(d => Annotation(d.Seen.Value!, BundleVersion)).Distinct(StringComparer.Ordinal).ToList();
        var channel = Annotation(definitions[0].Seen.Value!, Channel);
        var detail = string.Join(", ", versions.Append(channel is null ? null : $"{channel} channel").OfType<string>());
        return new CheckResult(group, Name, versions.Count > 1 ? CheckState.Warning : CheckState.Ok)
        {
            Detail = detail.Length > 0 ? detail : "version unknown",
            Reason = versions.Count > 1 ? "The definitions are of different versions." : null,
            Hint = versions.Count > 1 ? "Install all definitions of one version." : null,
        };
    }

    private static CheckResult Definition(string group, IObjects cluster, string definition, string name, string hint)
    {
        var seen = cluster.Get<V1CustomResourceDefinition>("", definition);
        return seen.Unreadable is { } unreadable
            ? NotChecked(group, name, unreadable)
            : new CheckResult(group, name, seen.Value is null ? CheckState.Failed : CheckState.Ok)
            {
                Reason = seen.Value is null ? $"{definition} does not exist." : null,
                Hint = seen.Value is null ? hint : null,
            };
    }

    // A Helm release gives its Deployment another name; the label stays.
    private static CheckResult Deployment(string group, IObjects cluster, string @namespace, string name, string what, string hint)
    {
        var own = cluster.List<V1Deployment>(@namespace, $"{Labels.AppName}={name}");
        var seen = own.Items.Count > 0 ? new Seen<V1Deployment>(own.Items[0]) : cluster.Get<V1Deployment>(@namespace, name);
        if (seen.Unreadable is { } unreadable)
        {
            return NotChecked(group, what, unreadable);
        }

        var available = seen.Value?.Status?.AvailableReplicas ?? 0;
        var wanted = seen.Value?.Spec?.Replicas ?? 1;
        return new CheckResult(
            group,
            what,
            available == 0 ? CheckState.Failed
                : available < wanted ? CheckState.Warning
                : CheckState.Ok
        )
        {
            Detail = seen.Value is null ? null : $"{Number(available)} of {Number(wanted)} available",
            Reason =
                seen.Value is null ? $"No Deployment {name} exists in namespace {@namespace}."
                : available < wanted
                    ? $"Deployment {@namespace}/{seen.Value.Name()} has {Number(available)} of {Number(wanted)} pods available."
                : null,
            Hint =
                seen.Value is null ? hint
                : available < wanted ? $"kubectl -n {@namespace} describe pods"
                : null,
        };
    }

    private CheckResult ManagementClass(string group, Config? config)
    {
        var name = TenantPolicy.Merge(config, tenant: null).GatewayClass;
        var what = $"GatewayClass {name} is accepted";
        var seen = management.Get<GatewayClass>("", name);
        var accepted = seen.Value?.Status?.Conditions?.Find(c => c.Type == GatewayConditions.Accepted);
        return seen.Unreadable is { } unreadable
            ? NotChecked(group, what, unreadable)
            : new CheckResult(group, what, accepted is { IsTrue: true } ? CheckState.Ok : CheckState.Failed)
            {
                Reason =
                    seen.Value is null ? $"GatewayClass {name} does not exist."
                    : accepted is { IsTrue: true } ? null
                    : accepted?.Message is { Length: > 0 } message ? message
                    : "No controller has accepted it.",
                Hint =
                    seen.Value is null ? "Create it for Envoy Gateway, or set gatewayAPI.class of the Config."
                    : accepted is { IsTrue: true } ? null
                    : "Check that Envoy Gateway runs and that the class has its controllerName.",
            };
    }

    private CheckResult TenantClass(string group)
    {
        const string Name = "A GatewayClass of KubeLB exists";
        var (classes, unreadable) = tenant.List<GatewayClass>();
        var own = classes.Where(c => c.Spec?.ControllerName == GatewayClass.KubelbController).Select(c => c.Name).ToList();
        return unreadable is not null
            ? NotChecked(group, Name, unreadable)
            : new CheckResult(group, Name, own.Count > 0 ? CheckState.Ok : CheckState.Warning)
            {
                Detail = own.Count > 0 ? string.Join(", ", own) : null,
                Reason = own.Count > 0 ? null : $"No GatewayClass has controllerName {GatewayClass.KubelbController}.",
                Hint = own.Count > 0 ? null : "The chart kubelb-ccm creates it; or start the CCM with --use-gateway-class=false.",
            };
    }

    private CheckResult Leader(string group)
    {
        const string Name = "A manager leads, and the clocks agree";
        var seen = management.Get<V1Lease>(settings.ManagerNamespace, "kubelb-manager");
        if (seen.Unreadable is { } unreadable)
        {
            return NotChecked(group, Name, unreadable);
        }

        var renewed = seen.Value?.Spec?.RenewTime is { } time ? new DateTimeOffset(time.ToUniversalTime()) : (DateTimeOffset?)null;
        var duration = TimeSpan.FromSeconds(seen.Value?.Spec?.LeaseDurationSeconds ?? 15);
        var (state, reason) =
            string.IsNullOrEmpty(seen.Value?.Spec?.HolderIdentity) || renewed is null ? (CheckState.Failed, "No replica holds the Lease.")
            : renewed.Value - now > SkewLimit
                ? (
                    CheckState.Warning,
                    $"The clock of the leader is {Number((int)(renewed.Value - now).TotalSeconds)} s ahead of this machine."
                )
            : now - renewed.Value > duration + SkewLimit
                ? (CheckState.Failed, $"The Lease was renewed {Number((int)(now - renewed.Value).TotalSeconds)} s ago.")
            : (CheckState.Ok, null);
        return new CheckResult(group, Name, state)
        {
            Detail = seen.Value?.Spec?.HolderIdentity?.Split('_')[0],
            Reason = reason,
            Hint =
                state == CheckState.Failed ? "See the pods and the log of the manager."
                : state == CheckState.Warning ? "Synchronize the clocks."
                : null,
        };
    }

    private static IEnumerable<CheckResult> ConfigConditions(string group, Seen<Config> config)
    {
        if (config.Unreadable is { } unreadable)
        {
            return [NotChecked(group, "The Config is valid", unreadable)];
        }

        return config.Value?.Status?.Conditions is not { Count: > 0 } conditions
            ?
            [
                new CheckResult(group, "The manager reports in the Config", CheckState.Warning)
                {
                    Reason = config.Value is null ? "The Config does not exist; the defaults apply." : "It has no conditions.",
                    Hint = "Create Config default in the manager's namespace, so that problems are reported there.",
                },
            ]
            : conditions.Select(c => new CheckResult(
                group,
                $"Config: {c.Type}",
                c.IsTrue ? CheckState.Ok
                    : c.Type is SettingsConditions.DomainsRestricted or SettingsConditions.ManagementRangesKnown ? CheckState.Warning
                    : CheckState.Failed
            )
            {
                Reason = c.IsTrue ? null : c.Message,
            });
    }

    private IEnumerable<CheckResult> XdsCertificates(string group)
    {
        const string Chain = "The xDS server's certificate is signed by its authority";
        var authority = management.Get<V1Secret>(settings.ManagerNamespace, "kubelb-xds-ca");
        var server = management.Get<V1Secret>(settings.ManagerNamespace, "kubelb-xds-server");
        if ((authority.Unreadable ?? server.Unreadable) is { } unreadable)
        {
            yield return NotChecked(group, Chain, unreadable);
            yield break;
        }

        if (Certificates.Read(authority.Value) is not { } root || Certificates.Read(server.Value) is not { } leaf)
        {
            yield return new CheckResult(group, Chain, CheckState.Failed)
            {
                Reason = $"Secret kubelb-xds-ca or kubelb-xds-server in namespace {settings.ManagerNamespace} has no certificate.",
                Hint = "The manager creates both when it leads; see its log.",
            };
            yield break;
        }

        using (root)
        using (leaf)
        using (var chain = new X509Chain())
        {
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.Add(root);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.VerificationTime = now.UtcDateTime;
            var isValid = chain.Build(leaf);
            var end = new DateTimeOffset(leaf.NotAfter).ToUniversalTime();
            var left = end - now;
            yield return new CheckResult(
                group,
                Chain,
                !isValid ? CheckState.Failed
                    : left < CertificateWarning ? CheckState.Warning
                    : CheckState.Ok
            )
            {
                Detail = $"valid until {end.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}",
                Reason =
                    !isValid ? string.Join(" ", chain.ChainStatus.Select(s => s.StatusInformation.Trim()))
                    : left < CertificateWarning ? "It expires soon; the manager should have renewed it."
                    : null,
                Hint =
                    !isValid || left < CertificateWarning ? "Delete Secret kubelb-xds-server; the manager issues a new certificate." : null,
            };
        }
    }

    private CheckResult Nodes(string group, NodeAddressSettings selected)
    {
        var what = $"Nodes have an address of type {selected.AddressType}";
        var (nodes, unreadable) = tenant.List<V1Node>();
        if (unreadable is not null)
        {
            return NotChecked(group, what, unreadable);
        }

        var usable = nodes.Count(n => NodeFacts.Read(n, selected) is not null);
        var types = nodes
            .SelectMany(n => n.Status?.Addresses ?? [])
            .Select(a => a.Type)
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)
            .ToList();
        var isExcluded = types.Contains(selected.AddressType, StringComparer.Ordinal);
        return new CheckResult(group, what, usable == 0 ? CheckState.Failed : CheckState.Ok)
        {
            Detail = $"{Number(usable)} of {Number(nodes.Count)} nodes",
            Reason =
                nodes.Count == 0 ? "The cluster has no nodes."
                : usable > 0 ? null
                : isExcluded ? "The labels of the nodes exclude them."
                : $"The nodes have only: {string.Join(", ", types)}.",
            Hint =
                usable > 0 || nodes.Count == 0 ? null
                : isExcluded
                    ? $"Check --node-address-label-selector of the CCM, and remove the label {NodeFacts.ExcludeLabel} of the nodes."
                : "Set --node-address-type of the CCM (kubelb.nodeAddressType of its chart) to a type that the nodes have.",
        };
    }

    private static CheckResult Flags(string group, CcmFlags flags)
    {
        const string Name = "The flags of the CCM are known";
        return flags.Deployment is null
            ? new CheckResult(group, Name, CheckState.NotChecked) { Reason = CcmHop.Assumption(flags) }
            : new CheckResult(group, Name, flags.IsGatewayApiEnabled ? CheckState.Ok : CheckState.Failed)
            {
                Detail = flags.Changed.Count == 0 ? "all are the defaults" : string.Join(" ", flags.Changed),
                Reason = flags.IsGatewayApiEnabled ? null : TenantSettings.GatewayApiNotEnabled,
            };
    }

    // A tenant wrote the address, and the hint is a command for a shell.
    private static bool IsInCommand(string? address) =>
        address is not null && (IPAddress.TryParse(address, out _) || DnsNames.IsSubdomain(address));

    // With the management cluster, NodePortCheck reads the proxies' counters instead.
    private CheckResult NodePorts(string group, NodeAddressSettings selected)
    {
        var address = tenant.List<V1Node>().Items.Select(n => NodeFacts.Read(n, selected)?.Address).FirstOrDefault(IsInCommand);
        var port = tenant
            .List<V1Service>("", $"{Labels.ManagedBy}={Labels.ManagedByKubelb}")
            .Items.SelectMany(s => s.Spec?.Ports ?? [])
            .FirstOrDefault(p => p.NodePort is > 0)
            ?.NodePort;
        var target =
            (address?.Contains(':', StringComparison.Ordinal) == true ? $"[{address}]" : address ?? "NODE_ADDRESS")
            + ":"
            + (port is null ? "NODE_PORT" : Number(port.Value));
        return new CheckResult(group, "The node ports can be reached from the management cluster", CheckState.NotChecked)
        {
            Reason =
                "The proxies connect to them. With a kubeconfig of the management cluster (--management-kubeconfig), their counters are "
                + "read.",
            Hint =
                "Or send a request through a route: kubelb trace http://HOSTNAME/ --probe; or one from a pod of the management cluster: "
                + $"kubectl run node-port --rm -i --restart=Never --image=curlimages/curl -- "
                + $"curl -sS -m 5 -o /dev/null -w '%{{http_code}}' http://{target}/",
        };
    }

    private static string? Annotation(V1CustomResourceDefinition definition, string key) =>
        definition.Metadata.Annotations?.TryGetValue(key, out var value) == true ? value : null;

    private static CheckResult NotChecked(string group, string name, string reason) =>
        new(group, name, CheckState.NotChecked) { Reason = reason + "." };

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What to check.</summary>
public sealed record CheckSettings
{
    /// <summary>Whether a kubeconfig of the management cluster is there.</summary>
    public bool HasManagement { get; init; }

    /// <summary>Whether a kubeconfig of a tenant's cluster is there.</summary>
    public bool HasTenant { get; init; }

    /// <summary>Whether KubeLB is not installed yet: only what it needs is checked.</summary>
    public bool IsBeforeInstallation { get; init; }

    /// <summary>Namespace of the manager.</summary>
    public string ManagerNamespace { get; init; } = "kubelb";

    /// <summary>Namespace of the CCM.</summary>
    public string CcmNamespace { get; init; } = "kubelb";

    /// <summary>Namespace of Envoy Gateway.</summary>
    public string EnvoyGatewayNamespace { get; init; } = "envoy-gateway-system";

    /// <summary>The CCM's <c>--node-address-type</c>; null for that of its Deployment.</summary>
    public string? NodeAddressType { get; init; }
}
