using System.Text.Json;
using System.Text.RegularExpressions;
using k8s;
using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.EnvoyGateway.Retries;

namespace KubeLB.Translation.Proxies;

/// <summary>
/// Reads <c>envoyProxy</c> of Config and Tenant. What cannot be used becomes a sentence, and something safe is in force instead. Each field is
/// read by one method that yields both, so that the two cannot disagree.
/// </summary>
internal static partial class ProxySettingsReader
{
    private const string DedicatedNote = "counts as \"shared\", because there is one workload per tenant in any case; write shared.";

    private static readonly string[] OldTopologies = ["dedicated", "global"];

    /// <summary>The settings in force.</summary>
    public static ProxySettings Read(ConfigEnvoyProxy? general, TenantEnvoyProxy? own)
    {
        var ignored = new List<string>();
        var (drain, gracePeriod) = DrainOf(general?.GracefulShutdown, ignored);
        return new ProxySettings
        {
            Image = ImageOf(general?.Image, ignored) ?? ProxySettings.DefaultImage,
            IsDaemonSet = general?.UseDaemonset ?? false,
            Replicas = AtLeastOne("replicas", own?.Replicas, ignored) ?? AtLeastOne("replicas", general?.Replicas, ignored) ?? ProxySettings.DefaultReplicas,
            IsOnePerNode = general?.SinglePodPerNode ?? false,
            NodeSelector = general?.NodeSelector ?? [],
            Tolerations = TolerationsOf(general?.Tolerations, ignored),
            Affinity = AffinityOf(general?.Affinity, ignored),
            Resources = own?.Resources ?? general?.Resources,
            Drain = drain,
            TerminationGracePeriodSeconds = gracePeriod,
            Overload = OverloadOf(general?.OverloadManager, ignored),
            Headers = HeadersOf(general?.HeaderLimits, ignored),
            HasPodMonitor = general?.PodMonitor?.Enabled ?? false,
        };
    }

    /// <summary>What is wrong with the settings of one object, each a sentence that names the field, what is in force and what to write.</summary>
    public static IReadOnlyList<string> Problems(LayeredSettings settings)
    {
        var problems = new List<string>();
        switch (settings)
        {
            case TenantSpec { EnvoyProxy: { } own }:
                AtLeastOne("replicas", own.Replicas, problems);
                break;
            case ConfigSpec { EnvoyProxy: { } general }:
                if (OldTopologies.Contains(general.Topology))
                {
                    problems.Add($"envoyProxy.topology \"{general.Topology}\" {DedicatedNote}");
                }

                ImageOf(general.Image, problems);
                AtLeastOne("replicas", general.Replicas, problems);
                TolerationsOf(general.Tolerations, problems);
                AffinityOf(general.Affinity, problems);
                DrainOf(general.GracefulShutdown, problems);
                OverloadOf(general.OverloadManager, problems);
                HeadersOf(general.HeaderLimits, problems);
                break;
        }

        return problems;
    }

    private static int? AtLeastOne(string field, int? value, List<string> problems)
    {
        if (value < 1)
        {
            problems.Add($"envoyProxy.{field} is {value} and does not count; write 1 or more.");
            return null;
        }

        return value;
    }

    private static string? ImageOf(string? image, List<string> problems)
    {
        if (image is not null && !Image().IsMatch(image))
        {
            problems.Add($"envoyProxy.image \"{image}\" cannot be an image and does not count; write registry/name:tag or registry/name@sha256:digest.");
            return null;
        }

        return image;
    }

    private static IReadOnlyList<V1Toleration> TolerationsOf(List<JsonElement>? tolerations, List<string> problems) =>
        [.. (tolerations ?? []).Select((json, place) => Read<V1Toleration>(json, $"tolerations[{place}]", "a toleration", problems)).OfType<V1Toleration>()];

    private static V1Affinity? AffinityOf(JsonElement? affinity, List<string> problems) =>
        affinity is { ValueKind: not JsonValueKind.Null } json ? Read<V1Affinity>(json, "affinity", "an affinity", problems) : null;

    private static T? Read<T>(JsonElement json, string field, string what, List<string> problems)
        where T : class
    {
        try
        {
            return KubernetesJson.Deserialize<T>(json.GetRawText());
        }
        catch (JsonException e)
        {
            problems.Add($"envoyProxy.{field} is not {what} and does not count: {e.Path} is of the wrong type; write it as in a pod.");
            return null;
        }
    }

    private static (ProxyDrain? Drain, long GracePeriod) DrainOf(GracefulShutdown? settings, List<string> problems)
    {
        var gracePeriod = settings?.TerminationGracePeriodSeconds ?? ProxyDrain.DefaultGracePeriodSeconds;
        if (gracePeriod < 1)
        {
            problems.Add($"envoyProxy.gracefulShutdown.terminationGracePeriodSeconds is {gracePeriod} and does not count; write 30 or more.");
            gracePeriod = ProxyDrain.DefaultGracePeriodSeconds;
        }

        if (settings?.Disabled == true)
        {
            return (null, gracePeriod);
        }

        var maximum = SecondsOf("drainTimeout", settings?.DrainTimeout, problems) ?? ProxyDrain.Default.Maximum;
        var minimum = SecondsOf("minDrainDuration", settings?.MinDrainDuration, problems) ?? ProxyDrain.Default.Minimum;
        if (maximum.TotalSeconds >= gracePeriod)
        {
            var least = TimeSpan.FromSeconds(gracePeriod - 1);
            problems.Add($"envoyProxy.gracefulShutdown.drainTimeout is {maximum.TotalSeconds} s, and a pod is killed after {gracePeriod} s: connections have {least.TotalSeconds} s; "
                + "write a shorter drainTimeout or more terminationGracePeriodSeconds.");
            maximum = least;
        }

        if (minimum > maximum)
        {
            if (settings?.MinDrainDuration is not null)
            {
                problems.Add($"envoyProxy.gracefulShutdown.minDrainDuration is {minimum.TotalSeconds} s, more than drainTimeout, and counts as {maximum.TotalSeconds} s; write a shorter one.");
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
            problems.Add($"envoyProxy.gracefulShutdown.{field} \"{text}\" is no duration and does not count; write one such as 90s or 1m30s.");
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

        var connections = Positive("maxActiveDownstreamConnections", settings.MaxActiveDownstreamConnections);
        var heap = Positive("maxHeapSizeBytes", settings.MaxHeapSizeBytes);
        return connections is null && heap is null ? null : new ProxyOverload(connections, heap);

        long? Positive(string field, long? value)
        {
            if (value < 1)
            {
                problems.Add($"envoyProxy.overloadManager.{field} is {value} and does not count; write 1 or more, or leave it out for no limit.");
                return null;
            }

            return value;
        }
    }

    private static ProxyHeaderLimits HeadersOf(HeaderLimits? settings, List<string> problems)
    {
        return new ProxyHeaderLimits(
            Limit("maxRequestHeadersKb", settings?.MaxRequestHeadersKb, ProxyHeaderLimits.GreatestKilobytes) ?? ProxyHeaderLimits.Most.RequestKilobytes,
            Limit("maxRequestHeadersCount", settings?.MaxRequestHeadersCount, int.MaxValue) ?? ProxyHeaderLimits.Most.RequestCount,
            Limit("maxResponseHeadersKb", settings?.MaxResponseHeadersKb, ProxyHeaderLimits.GreatestKilobytes) ?? ProxyHeaderLimits.Most.ResponseKilobytes);

        int? Limit(string field, int? value, int greatest)
        {
            if (value < 1 || value > greatest)
            {
                problems.Add($"envoyProxy.headerLimits.{field} is {value} and does not count; write {(greatest == int.MaxValue ? "1 or more" : $"1 to {greatest}")}.");
                return null;
            }

            return value;
        }
    }

    // As the OCI distribution specification has references, without its limits on length, which an API server knows.
    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9.:_/-]*(@sha256:[a-f0-9]{64})?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Image();
}
