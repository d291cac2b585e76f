using System.Text.RegularExpressions;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.Proxies;

/// <summary>
/// Reads <c>envoyProxy</c> of Config and Tenant. Invalid values are reported and replaced by safe defaults. One method per field does
/// both, so that they are consistent.
/// </summary>
internal static partial class ProxySettingsReader
{
    // Prevents a typo from filling the cluster with pods.
    private const int MaxReplicas = 1000;

    // Envoy would reject every request if the limit were less than what it needs itself.
    private const long MinHeap = 64 << 20;

    private static readonly string[] DeprecatedTopologies = ["dedicated", "global"];

    /// <summary>The effective settings.</summary>
    public static ProxySettings Read(ConfigEnvoyProxy? general, TenantEnvoyProxy? own)
    {
        var ignored = new List<string>();
        var (drain, gracePeriod) = DrainOf(general?.GracefulShutdown, general?.Image, ignored);
        return new ProxySettings
        {
            Image = ImageOf(general?.Image, ignored) ?? ProxySettings.DefaultImage,
            IsDaemonSet = general?.UseDaemonset ?? false,
            Replicas = ReplicasOf(own?.Replicas, ignored) ?? ReplicasOf(general?.Replicas, ignored) ?? ProxySettings.DefaultReplicas,
            IsOnePerNode = general?.SinglePodPerNode ?? false,
            NodeSelector = ProxyPlacementReader.NodeSelectorOf(general?.NodeSelector, ignored),
            Tolerations = ProxyPlacementReader.TolerationsOf(general?.Tolerations, ignored),
            Affinity = ProxyPlacementReader.AffinityOf(general?.Affinity, ignored),
            Resources =
                ProxyResourcesReader.ResourcesOf(own?.Resources, ignored) ?? ProxyResourcesReader.ResourcesOf(general?.Resources, ignored),
            Drain = drain,
            TerminationGracePeriodSeconds = gracePeriod,
            Overload = OverloadOf(general?.OverloadManager, ignored),
            Headers = HeadersOf(general?.HeaderLimits, ignored),
            HasPodMonitor = general?.PodMonitor?.Enabled ?? false,
            HasNetworkPolicy = general?.NetworkPolicy?.Enabled ?? false,
        };
    }

    /// <summary>
    /// The problems of the settings of one object, one text of <see cref="SettingsMessages"/> each.
    /// </summary>
    public static IReadOnlyList<string> Problems(LayeredSettings settings)
    {
        var problems = new List<string>();
        switch (settings)
        {
            case TenantSpec { EnvoyProxy: { } own }:
                ReplicasOf(own.Replicas, problems);
                ProxyResourcesReader.ResourcesOf(own.Resources, problems);
                break;
            case ConfigSpec { EnvoyProxy: { } general }:
                if (DeprecatedTopologies.Contains(general.Topology))
                {
                    problems.Add(SettingsMessages.DeprecatedTopology(general.Topology!));
                }

                ImageOf(general.Image, problems);
                ReplicasOf(general.Replicas, problems);
                ProxyResourcesReader.ResourcesOf(general.Resources, problems);
                ProxyPlacementReader.NodeSelectorOf(general.NodeSelector, problems);
                ProxyPlacementReader.TolerationsOf(general.Tolerations, problems);
                ProxyPlacementReader.AffinityOf(general.Affinity, problems);
                DrainOf(general.GracefulShutdown, general.Image, problems);
                OverloadOf(general.OverloadManager, problems);
                HeadersOf(general.HeaderLimits, problems);
                break;
        }

        return problems;
    }

    private static int? ReplicasOf(int? value, List<string> problems)
    {
        if (value is (< 1 or > MaxReplicas) and var invalid)
        {
            problems.Add(SettingsMessages.InvalidReplicas(invalid, MaxReplicas));
            return null;
        }

        return value;
    }

    private static string? ImageOf(string? image, List<string> problems)
    {
        if (image is not null && !Image().IsMatch(image))
        {
            problems.Add(SettingsMessages.InvalidImage(image));
            return null;
        }

        return image;
    }

    private static (ProxyDrain? Drain, long GracePeriod) DrainOf(GracefulShutdown? settings, string? image, List<string> problems)
    {
        var gracePeriod = settings?.TerminationGracePeriodSeconds ?? ProxyDrain.DefaultGracePeriodSeconds;
        if (gracePeriod < 1)
        {
            problems.Add(SettingsMessages.InvalidGracePeriod(gracePeriod));
            gracePeriod = ProxyDrain.DefaultGracePeriodSeconds;
        }

        if (settings?.Disabled == true)
        {
            return (null, gracePeriod);
        }

        if (image?.Contains("distroless", StringComparison.OrdinalIgnoreCase) == true)
        {
            problems.Add(SettingsMessages.DistrolessImage(image));
            return (null, gracePeriod);
        }

        var maximum = SecondsOf("drainTimeout", settings?.DrainTimeout, problems) ?? ProxyDrain.Default.Maximum;
        var minimum = SecondsOf("minDrainDuration", settings?.MinDrainDuration, problems) ?? ProxyDrain.Default.Minimum;
        if (maximum.TotalSeconds >= gracePeriod)
        {
            problems.Add(SettingsMessages.DrainTimeoutTooLong((long)maximum.TotalSeconds, gracePeriod, gracePeriod - 1));
            maximum = TimeSpan.FromSeconds(gracePeriod - 1);
        }

        if (minimum > maximum)
        {
            if (settings?.MinDrainDuration is not null)
            {
                problems.Add(SettingsMessages.MinDrainTooLong((long)minimum.TotalSeconds, (long)maximum.TotalSeconds));
            }

            minimum = maximum;
        }

        return (new ProxyDrain(minimum, maximum), gracePeriod);
    }

    // The drain script waits for whole seconds, so the duration is rounded up.
    private static TimeSpan? SecondsOf(string field, string? text, List<string> problems)
    {
        if (text is null)
        {
            return null;
        }

        if (GatewayDuration.Parse(text) is not { } duration)
        {
            problems.Add(SettingsMessages.InvalidDuration(field, text));
            return null;
        }

        return TimeSpan.FromSeconds(Math.Ceiling(duration.TotalSeconds));
    }

    private static ProxyOverload? OverloadOf(OverloadManager? settings, List<string> problems)
    {
        if (settings?.Enabled != true)
        {
            return null;
        }

        var connections = AtLeast("maxActiveDownstreamConnections", settings.MaxActiveDownstreamConnections, 1);
        var heap = AtLeast("maxHeapSizeBytes", settings.MaxHeapSizeBytes, MinHeap);
        return connections is null && heap is null ? null : new ProxyOverload(connections, heap);

        long? AtLeast(string field, long? value, long minimum)
        {
            if (value is { } limit && limit < minimum)
            {
                problems.Add(SettingsMessages.InvalidOverloadLimit(field, limit, minimum));
                return null;
            }

            return value;
        }
    }

    private static ProxyHeaderLimits HeadersOf(HeaderLimits? settings, List<string> problems)
    {
        return new ProxyHeaderLimits(
            Limit("maxRequestHeadersKb", settings?.MaxRequestHeadersKb, ProxyHeaderLimits.MaxKilobytes)
                ?? ProxyHeaderLimits.Default.RequestKilobytes,
            Limit("maxRequestHeadersCount", settings?.MaxRequestHeadersCount, int.MaxValue) ?? ProxyHeaderLimits.Default.RequestCount,
            Limit("maxResponseHeadersKb", settings?.MaxResponseHeadersKb, ProxyHeaderLimits.MaxKilobytes)
                ?? ProxyHeaderLimits.Default.ResponseKilobytes
        );

        int? Limit(string field, int? value, int maximum)
        {
            if (value is { } limit && (limit < 1 || limit > maximum))
            {
                problems.Add(
                    maximum == int.MaxValue
                        ? SettingsMessages.InvalidHeaderCount(field, limit)
                        : SettingsMessages.InvalidHeaderSize(field, limit, maximum)
                );
                return null;
            }

            return value;
        }
    }

    // Image references of the OCI distribution specification, without its limits on length. The schema of the CRD limits the length.
    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9.:_/-]*(@sha256:[a-f0-9]{64})?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Image();
}

/// <summary>Reads the resources of a proxy. All of them are ignored if the API server would reject them in a container.</summary>
internal static class ProxyResourcesReader
{
    private static readonly string[] Standard = ["cpu", "memory", "ephemeral-storage"];

    public static V1ResourceRequirements? ResourcesOf(V1ResourceRequirements? resources, List<string> problems)
    {
        if (resources is null || Problem(resources) is not { } problem)
        {
            return resources;
        }

        problems.Add(SettingsMessages.InvalidResources(problem));
        return null;
    }

    private static string? Problem(V1ResourceRequirements resources)
    {
        var requests = resources.Requests ?? new Dictionary<string, ResourceQuantity>();
        var limits = resources.Limits ?? new Dictionary<string, ResourceQuantity>();
        if (requests.Keys.Concat(limits.Keys).FirstOrDefault(name => !IsResource(name)) is { } unknown)
        {
            return SettingsMessages.UnknownResource(unknown);
        }

        if (requests.Concat(limits).FirstOrDefault(r => r.Value.ToDecimal() < 0) is { Key: { } negative })
        {
            return SettingsMessages.NegativeResource(negative);
        }

        return
            requests.FirstOrDefault(r => limits.TryGetValue(r.Key, out var limit) && r.Value.ToDecimal() > limit.ToDecimal())
                is { Key: { } name }
            ? SettingsMessages.RequestExceedsLimit(name, $"{requests[name]}", $"{limits[name]}")
            : null;
    }

    private static bool IsResource(string name) =>
        Standard.Contains(name) || name.StartsWith("hugepages-", StringComparison.Ordinal) || name.Contains('/', StringComparison.Ordinal);
}
