using System.Globalization;
using k8s.Models;
using KubeLB.Api;

namespace KubeLB.Translation.Proxies;

/// <summary>The pod of a tenant's Envoy proxy, with minimal privileges.</summary>
internal static class ProxyPod
{
    /// <summary>Name of the container port with metrics.</summary>
    public const string MetricsPort = "metrics";

    private const string ContainerName = "envoy-proxy";
    private const string CertificateVolume = "xds-certificate";
    private const string Binary = "/usr/local/bin/envoy";
    private const string Hostname = "kubernetes.io/hostname";
    private const string Zone = "topology.kubernetes.io/zone";

    private const int MinWorkers = 2;

    // Source ports of outgoing connections, below the ports that Envoy listens on.
    private const string OutgoingPortRange = "1024 8999";

    // The user "envoy" of Envoy's images.
    private const long User = 101;

    /// <summary>
    /// Labels with which Services, PodDisruptionBudgets and PodMonitors select the pods. They are the same as those of the Go manager, so
    /// that its existing Services select the pods.
    /// </summary>
    public static Dictionary<string, string> Selector(string tenantNamespace) =>
        new(StringComparer.Ordinal) { [Labels.AppName] = tenantNamespace };

    public static V1PodTemplateSpec Template(
        string tenantNamespace,
        ProxySettings settings,
        ControlPlane controlPlane,
        string certificateSecret
    ) =>
        new()
        {
            Metadata = new V1ObjectMeta
            {
                Labels = new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    [Labels.AppName] = tenantNamespace,
                    [Labels.AppManagedBy] = Labels.ManagedByKubelb,
                },
                Annotations = new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    ["prometheus.io/scrape"] = "true",
                    ["prometheus.io/port"] = Text(ProxyPorts.Stats),
                    ["prometheus.io/path"] = ProxyPorts.StatsPath,
                },
            },
            Spec = new V1PodSpec
            {
                AutomountServiceAccountToken = false,
                EnableServiceLinks = false,
                SecurityContext = new V1PodSecurityContext
                {
                    RunAsNonRoot = true,
                    RunAsUser = User,
                    RunAsGroup = User,
                    FsGroup = User,
                    SeccompProfile = new V1SeccompProfile { Type = "RuntimeDefault" },

                    // Outgoing connections must not use the ports of future listeners, because Envoy does not retry a failed bind.
                    // https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/#safe-and-unsafe-sysctls
                    Sysctls = [new V1Sysctl { Name = "net.ipv4.ip_local_port_range", Value = OutgoingPortRange }],
                },
                TerminationGracePeriodSeconds = settings.TerminationGracePeriodSeconds,
                NodeSelector = settings.NodeSelector.Count > 0 ? settings.NodeSelector.ToDictionary(StringComparer.Ordinal) : null,
                Tolerations = settings.Tolerations.Count > 0 ? [.. settings.Tolerations] : null,
                Affinity = IsOnePerNode(settings) ? OnePerNode(tenantNamespace, settings.Affinity) : settings.Affinity,
                TopologySpreadConstraints = settings.IsDaemonSet
                    ? null
                    : [Spread(tenantNamespace, Hostname), Spread(tenantNamespace, Zone)],
                Containers = [Container(tenantNamespace, settings, controlPlane)],
                Volumes = controlPlane.IsPlain
                    ? null
                    :
                    [
                        new V1Volume
                        {
                            Name = CertificateVolume,
                            Secret = new V1SecretVolumeSource { SecretName = certificateSecret, DefaultMode = 0b100_100_000 },
                        },
                    ],
            },
        };

    /// <summary>
    /// Whether pods need an anti-affinity: not for a single replica or a DaemonSet.
    /// </summary>
    public static bool IsOnePerNode(ProxySettings settings) => settings is { IsOnePerNode: true, IsDaemonSet: false, Replicas: > 1 };

    private static V1Container Container(string tenantNamespace, ProxySettings settings, ControlPlane controlPlane) =>
        new()
        {
            Name = ContainerName,
            Image = settings.Image,
            Command = [Binary],
            Args =
            [
                "--config-yaml",
                ProxyBootstrap.Build(controlPlane, settings.Headers, settings.Overload),
                "--service-node",
                tenantNamespace,
                "--service-cluster",
                tenantNamespace,
                "--disable-hot-restart",
                "--concurrency",
                Text(Workers(settings.Resources)),
                // Connections of a removed listener are drained soon, because their backends are removed too.
                "--drain-time-s",
                "60",
                "--drain-strategy",
                "immediate",
                // By default Envoy flushes the access log every 10 s.
                "--file-flush-interval-msec",
                "1000",
            ],
            Env =
            [
                new V1EnvVar
                {
                    Name = ProxyBootstrap.PodNameVariable,
                    ValueFrom = new V1EnvVarSource
                    {
                        FieldRef = new V1ObjectFieldSelector { ApiVersion = "v1", FieldPath = "metadata.name" },
                    },
                },
            ],
            Ports =
            [
                new V1ContainerPort
                {
                    Name = "readiness",
                    ContainerPort = ProxyPorts.Readiness,
                    Protocol = "TCP",
                },
                new V1ContainerPort
                {
                    Name = "healthcheck",
                    ContainerPort = ProxyPorts.Health,
                    Protocol = "TCP",
                },
                new V1ContainerPort
                {
                    Name = MetricsPort,
                    ContainerPort = ProxyPorts.Stats,
                    Protocol = "TCP",
                },
            ],
            Resources = settings.Resources ?? SmallRequests(),
            StartupProbe = Probe("/ready", ProxyPorts.Readiness, period: 1, failures: 300),
            ReadinessProbe = Probe("/healthz", ProxyPorts.Health, period: 5, failures: 2),
            LivenessProbe = Probe("/live", ProxyPorts.Readiness, period: 10, failures: 3),
            Lifecycle = settings.Drain is { } drain
                ? new V1Lifecycle
                {
                    PreStop = new V1LifecycleHandler
                    {
                        Exec = new V1ExecAction { Command = ["/bin/bash", "-c", ProxyDrainScript.Build(drain)] },
                    },
                }
                : null,
            SecurityContext = new V1SecurityContext
            {
                AllowPrivilegeEscalation = false,
                ReadOnlyRootFilesystem = true,
                Capabilities = new V1Capabilities { Drop = ["ALL"] },
            },
            VolumeMounts = controlPlane.IsPlain
                ? null
                :
                [
                    new V1VolumeMount
                    {
                        Name = CertificateVolume,
                        MountPath = ProxyCertificateFiles.Folder,
                        ReadOnlyProperty = true,
                    },
                ],
        };

    // By default Envoy starts one worker per CPU of the node, each with a socket per listener, even if the pod's limit is lower.
    private static int Workers(V1ResourceRequirements? resources) =>
        Processors(resources?.Limits) ?? Math.Max(MinWorkers, Processors(resources?.Requests) ?? 0);

    private static int? Processors(IDictionary<string, ResourceQuantity>? resources) =>
        resources?.TryGetValue("cpu", out var cpu) == true && cpu.ToDecimal() > 0 ? (int)Math.Ceiling(cpu.ToDecimal()) : null;

    private static V1ResourceRequirements SmallRequests() =>
        new()
        {
            Requests = new Dictionary<string, ResourceQuantity>(StringComparer.Ordinal) { ["cpu"] = new("20m"), ["memory"] = new("64Mi") },
        };

    private static V1Probe Probe(string path, int port, int period, int failures) =>
        new()
        {
            HttpGet = new V1HTTPGetAction
            {
                Path = path,
                Port = port,
                Scheme = "HTTP",
            },
            PeriodSeconds = period,
            TimeoutSeconds = 5,
            FailureThreshold = failures,
            SuccessThreshold = 1,
        };

    private static V1TopologySpreadConstraint Spread(string tenantNamespace, string over) =>
        new()
        {
            MaxSkew = 1,
            TopologyKey = over,
            WhenUnsatisfiable = "ScheduleAnyway",
            LabelSelector = new V1LabelSelector { MatchLabels = Selector(tenantNamespace) },
        };

    private static V1Affinity OnePerNode(string tenantNamespace, V1Affinity? affinity) =>
        new()
        {
            NodeAffinity = affinity?.NodeAffinity,
            PodAffinity = affinity?.PodAffinity,
            PodAntiAffinity = new V1PodAntiAffinity
            {
                PreferredDuringSchedulingIgnoredDuringExecution = affinity
                    ?.PodAntiAffinity
                    ?.PreferredDuringSchedulingIgnoredDuringExecution,
                RequiredDuringSchedulingIgnoredDuringExecution =
                [
                    .. affinity?.PodAntiAffinity?.RequiredDuringSchedulingIgnoredDuringExecution ?? [],
                    new V1PodAffinityTerm
                    {
                        LabelSelector = new V1LabelSelector { MatchLabels = Selector(tenantNamespace) },
                        TopologyKey = Hostname,
                    },
                ],
            },
        };

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>
/// The preStop hook of a proxy: it fails the health check, which makes clients connect to other proxies, and waits until no connection is
/// left, for at least the minimum and at most the maximum time. It uses bash, which supports TCP, so that no sidecar is needed.
/// </summary>
public static class ProxyDrainScript
{
    // The filter is ^listener\.[0-9._]+\.downstream_cx_active$: the tenant's listeners, which have no stat prefix, unlike the proxy's own.
    private const string Connections = "/stats?filter=%5Elistener%5C.%5B0-9._%5D%2B%5C.downstream_cx_active%24";

    private const string Request = @"%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

    /// <summary>The script.</summary>
    public static string Build(ProxyDrain drain, int adminPort = ProxyPorts.Admin)
    {
        var (least, most) = (Seconds(drain.Minimum), Seconds(drain.Maximum));
        var port = adminPort.ToString(CultureInfo.InvariantCulture);
        return $$"""
            admin() {
              { printf '{{Request}}' "$1" "$2" >&3; timeout 5 cat <&3; } 3<>/dev/tcp/127.0.0.1/{{port}}
            }
            admin POST /healthcheck/fail >/dev/null
            sleep {{least}}
            while [ "$SECONDS" -lt {{most}} ] && admin GET '{{Connections}}' | grep -q 'downstream_cx_active: [1-9]'; do
              sleep 1
            done

            """.ReplaceLineEndings("\n");
    }

    private static string Seconds(TimeSpan time) => ((long)time.TotalSeconds).ToString(CultureInfo.InvariantCulture);
}
