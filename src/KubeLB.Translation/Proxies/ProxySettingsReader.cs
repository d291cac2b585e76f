using System.Text.RegularExpressions;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.EnvoyGateway.Retries;

namespace KubeLB.Translation.Proxies;

/// <summary>
/// Reads <c>envoyProxy</c> of Config and Tenant. What cannot be used becomes a sentence, and something safe is in force instead. Each field
/// is read by one method that yields both, so that the two cannot disagree.
/// </summary>
internal static partial class ProxySettingsReader
{
    private const string DedicatedNote = "counts as \"shared\", because there is one workload per tenant in any case; write shared.";

    // A slip of the pen must not fill a cluster.
    private const int MostReplicas = 1000;

    // With less than Envoy takes for itself it would refuse every request.
    private const long LeastHeap = 64 << 20;

    private static readonly string[] OldTopologies = ["dedicated", "global"];

    /// <summary>The settings in force.</summary>
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
        };
    }

    /// <summary>
    /// What is wrong with the settings of one object, each a sentence that names the field, what is in force and what to write.
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
                if (OldTopologies.Contains(general.Topology))
                {
                    problems.Add($"envoyProxy.topology \"{general.Topology}\" {DedicatedNote}");
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
        if (value is < 1 or > MostReplicas)
        {
            problems.Add($"envoyProxy.replicas is {value} and does not count; write 1 to {MostReplicas}.");
            return null;
        }

        return value;
    }

    private static string? ImageOf(string? image, List<string> problems)
    {
        if (image is not null && !Image().IsMatch(image))
        {
            problems.Add(
                $"envoyProxy.image \"{image}\" cannot be an image and does not count; write registry/name:tag or "
                    + "registry/name@sha256:digest."
            );
            return null;
        }

        return image;
    }

    private static (ProxyDrain? Drain, long GracePeriod) DrainOf(GracefulShutdown? settings, string? image, List<string> problems)
    {
        var gracePeriod = settings?.TerminationGracePeriodSeconds ?? ProxyDrain.DefaultGracePeriodSeconds;
        if (gracePeriod < 1)
        {
            problems.Add(
                $"envoyProxy.gracefulShutdown.terminationGracePeriodSeconds is {gracePeriod} and does not count; write 30 or more."
            );
            gracePeriod = ProxyDrain.DefaultGracePeriodSeconds;
        }

        if (settings?.Disabled == true)
        {
            return (null, gracePeriod);
        }

        if (image?.Contains("distroless", StringComparison.OrdinalIgnoreCase) == true)
        {
            problems.Add(
                $"envoyProxy.image \"{image}\" has no bash, in which pods wait for their connections: they end at once; "
                    + "write an image that is not distroless, or gracefulShutdown.disabled: true."
            );
            return (null, gracePeriod);
        }

        var maximum = SecondsOf("drainTimeout", settings?.DrainTimeout, problems) ?? ProxyDrain.Default.Maximum;
        var minimum = SecondsOf("minDrainDuration", settings?.MinDrainDuration, problems) ?? ProxyDrain.Default.Minimum;
        if (maximum.TotalSeconds >= gracePeriod)
        {
            var least = TimeSpan.FromSeconds(gracePeriod - 1);
            problems.Add(
                $"envoyProxy.gracefulShutdown.drainTimeout is {maximum.TotalSeconds} s, and a pod is killed after {gracePeriod} s: "
                    + $"connections have {least.TotalSeconds} s; "
                    + "write a shorter drainTimeout or more terminationGracePeriodSeconds."
            );
            maximum = least;
        }

        if (minimum > maximum)
        {
            if (settings?.MinDrainDuration is not null)
            {
                problems.Add(
                    $"envoyProxy.gracefulShutdown.minDrainDuration is {minimum.TotalSeconds} s, more than drainTimeout, and counts "
                        + $"as {maximum.TotalSeconds} s; write a shorter one."
                );
            }

            minimum = maximum;
        }

        return (new ProxyDrain(minimum, maximum), gracePeriod);
    }

    // A proxy cannot wait for less than a second; what is asked for is rounded up.
    private static TimeSpan? SecondsOf(string field, string? text, List<string> problems)
    {
        if (text is null)
        {
            return null;
        }

        if (GatewayDuration.Parse(text) is not { } duration)
        {
            problems.Add(
                $"envoyProxy.gracefulShutdown.{field} \"{text}\" is no duration and does not count; write one such as 90s or 1m30s."
            );
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
        var heap = AtLeast("maxHeapSizeBytes", settings.MaxHeapSizeBytes, LeastHeap);
        return connections is null && heap is null ? null : new ProxyOverload(connections, heap);

        long? AtLeast(string field, long? value, long least)
        {
            if (value < least)
            {
                problems.Add(
                    $"envoyProxy.overloadManager.{field} is {value} and does not count; write {least} or more, or leave it out for "
                        + "no limit."
                );
                return null;
            }

            return value;
        }
    }

    private static ProxyHeaderLimits HeadersOf(HeaderLimits? settings, List<string> problems)
    {
        return new ProxyHeaderLimits(
            Limit("maxRequestHeadersKb", settings?.MaxRequestHeadersKb, ProxyHeaderLimits.GreatestKilobytes)
                ?? ProxyHeaderLimits.Most.RequestKilobytes,
            Limit("maxRequestHeadersCount", settings?.MaxRequestHeadersCount, int.MaxValue) ?? ProxyHeaderLimits.Most.RequestCount,
            Limit("maxResponseHeadersKb", settings?.MaxResponseHeadersKb, ProxyHeaderLimits.GreatestKilobytes)
                ?? ProxyHeaderLimits.Most.ResponseKilobytes
        );

        int? Limit(string field, int? value, int greatest)
        {
            if (value < 1 || value > greatest)
            {
                problems.Add(
                    $"envoyProxy.headerLimits.{field} is {value} and does not count; write {(greatest == int.MaxValue ? "1 or more" : $"1 to {greatest}")}."
                );
                return null;
            }

            return value;
        }
    }

    // As the OCI distribution specification has references, without its limits on length, which an API server knows.
    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9.:_/-]*(@sha256:[a-f0-9]{64})?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Image();
}
