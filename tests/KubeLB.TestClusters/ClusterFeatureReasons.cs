namespace KubeLB.TestClusters;

/// <summary>Why a test is skipped on a cluster that lacks a feature.</summary>
public static class ClusterFeatureReasons
{
    /// <summary><see cref="ClusterFeatures.Controllers"/> is missing.</summary>
    public const string NoControllers =
        "KUBEBUILDER_ASSETS holds no kube-controller-manager, which collects what deleted owners and namespaces leave";
}
