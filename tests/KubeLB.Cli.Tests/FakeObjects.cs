using k8s;
using k8s.Models;
using KubeLB.Inspection.Access;

namespace KubeLB.Cli.Tests;

/// <summary>Objects of a cluster in memory.</summary>
internal sealed class FakeObjects(params IKubernetesObject<V1ObjectMeta>[] objects) : IObjects
{
    private readonly List<IKubernetesObject<V1ObjectMeta>> _objects = [.. objects];

    /// <summary>Kinds that may not be read.</summary>
    public HashSet<Type> Forbidden { get; } = [];

    /// <summary>The Deployment of the CCM of Tenant shop.</summary>
    /// <param name="flags">Its flags, separated by spaces.</param>
    /// <param name="ready">Number of ready pods.</param>
    public static V1Deployment Ccm(string flags, int ready) =>
        new()
        {
            Metadata = new V1ObjectMeta
            {
                Name = "ccm",
                NamespaceProperty = "lb",
                Labels = new Dictionary<string, string> { ["app.kubernetes.io/name"] = "kubelb-ccm" },
            },
            Spec = new V1DeploymentSpec
            {
                Template = new V1PodTemplateSpec
                {
                    Spec = new V1PodSpec { Containers = [new V1Container { Args = [.. flags.Split(' '), "--cluster-name=shop"] }] },
                },
            },
            Status = new V1DeploymentStatus { ReadyReplicas = ready },
        };

    public void Add(IKubernetesObject<V1ObjectMeta> value) => _objects.Add(value);

    public Seen<T> Get<T>(string @namespace, string name)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        Forbidden.Contains(typeof(T))
            ? new Seen<T>(null, $"no permission to get {typeof(T).Name}")
            : new Seen<T>(_objects.OfType<T>().FirstOrDefault(o => (o.Namespace() ?? "") == @namespace && o.Name() == name));

    public SeenList<T> List<T>(string @namespace = "", string? labelSelector = null)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        Forbidden.Contains(typeof(T))
            ? new SeenList<T>([], $"no permission to list {typeof(T).Name}")
            : new SeenList<T>([
                .. _objects
                    .OfType<T>()
                    .Where(o => @namespace.Length == 0 || o.Namespace() == @namespace)
                    .Where(o => Matches(o, labelSelector)),
            ]);

    private static bool Matches(IKubernetesObject<V1ObjectMeta> value, string? selector) =>
        (selector ?? "")
            .Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Select(s => s.Split('='))
            .All(s => value.Labels()?.TryGetValue(s[0], out var found) == true && found == s[1]);
}
