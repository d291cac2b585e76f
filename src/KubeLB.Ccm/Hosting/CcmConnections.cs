using k8s;
using KubeLB.Runtime.Connections;

namespace KubeLB.Ccm.Hosting;

/// <summary>How a CCM reaches its two clusters.</summary>
/// <param name="Tenant">Connects to the tenant's cluster.</param>
/// <param name="Management">Connects to the management cluster.</param>
public sealed record CcmConnections(Func<IKubernetes> Tenant, Func<IKubernetes> Management)
{
    /// <summary>From the kubeconfigs that the options name. Both are read now, so that a bad one is found at once.</summary>
    /// <exception cref="KubeconfigException">One of them cannot be used.</exception>
    public static CcmConnections FromKubeconfigs(CcmOptions options)
    {
        var userAgent = $"kubelb-ccm/{options.ClusterName}";
        var tenant = Kubeconfig.Connect(options.Kubeconfig, userAgent);
        var management = Kubeconfig.Connect(options.KubelbKubeconfig, userAgent);
        return new CcmConnections(() => tenant, () => management);
    }
}
