using System.Globalization;
using k8s.Models;
using KubeLB.Api;

namespace KubeLB.Translation.Proxies;

/// <summary>The pod of a tenant's Envoy: as little as it needs to run, and nothing of the cluster.</summary>
internal static class ProxyPod
{
    /// <summary>Name of the container port with metrics.</summary>
    public const string MetricsPort = "metrics";

    /// <summary>Path of the metrics.</summary>
    public const string MetricsPath = "/stats/prometheus";

    private const string ContainerName = "envoy-proxy";
    private const string CertificateVolume = "xds-certificate";
    private const string Binary = "/usr/local/bin/envoy";
    private const string Hostname = "kubernetes.io/hostname";
    private const string Zone = "topology.kubernetes.io/zone";

    private const int FewestWorkers = 2;

    // Below those that Envoy listens on.
    private const string PortsOfConnections = "1024 8999";

    // The user "envoy" of Envoy's images; any other would do.
    private const long User = 101;

    /// <summary>
    /// Labels by which Services, budgets and monitors find the pods. Those of the Go manager, so that its Services keep working.
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
                    ["prometheus.io/path"] = MetricsPath,
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

                    // Connections to nodes must not take ports that listeners are going to want: Envoy does not try a second time.
                    // https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/#safe-and-unsafe-sysctls
                    Sysctls = [new V1Sysctl { Name = "net.ipv4.ip_local_port_range", Value = PortsOfConnections }],
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
    /// Whether two pods must not meet on a node: with one pod there is nobody to meet, and a DaemonSet has one per node anyway.
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
                // What is removed ends its connections soon: what they lead to is removed, too.
                "--drain-time-s",
                "60",
                "--drain-strategy",
                "immediate",
                // The access log is for people, too: by default Envoy writes it every 10 s.
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

    // Envoy starts a worker per processor of the node, each with a socket for each listener, also where it may use a fraction of them only.
    private static int Workers(V1ResourceRequirements? resources) =>
        Processors(resources?.Limits) ?? Math.Max(FewestWorkers, Processors(resources?.Requests) ?? 0);

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
