using k8s;

namespace KubeLB.Runtime.Hosting;

/// <summary>A cluster as it was registered.</summary>
internal sealed record ClusterRegistration(string Name, Func<IServiceProvider, IKubernetes> Connect);

/// <summary>Kinds to watch in a cluster, as registered by whoever needs them.</summary>
internal sealed record ClusterConfiguration(string Name, Action<ClusterBuilder> Configure);

/// <summary>A controller as it was registered.</summary>
internal sealed record ControllerRegistration(string Name, Type Reconciler, ControllerBuilder Settings);
