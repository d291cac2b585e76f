namespace KubeLB.TestClusters.Envtest;

/// <summary>
/// The binaries in the folder <c>KUBEBUILDER_ASSETS</c>: <c>etcd</c>, <c>kube-apiserver</c> and, if present,
/// <c>kube-controller-manager</c>.
/// </summary>
/// <param name="Etcd">Path of etcd.</param>
/// <param name="ApiServer">Path of kube-apiserver.</param>
/// <param name="ControllerManager">Path of kube-controller-manager; null if there is none.</param>
internal sealed record EnvtestAssets(string Etcd, string ApiServer, string? ControllerManager)
{
    public const string Variable = "KUBEBUILDER_ASSETS";

    /// <summary>Finds them.</summary>
    /// <param name="folder">The folder, as the variable names it.</param>
    /// <exception cref="TestClusterUnavailableException">The folder is not named, or lacks a binary.</exception>
    public static EnvtestAssets Find(string? folder)
    {
        if (string.IsNullOrEmpty(folder))
        {
            throw Unavailable(
                $"{Variable} is not set; it names the folder that holds etcd and kube-apiserver (envtest's setup-envtest prints it)"
            );
        }

        if (!Directory.Exists(folder))
        {
            throw Unavailable($"{Variable} names {folder}, which is not a folder");
        }

        var controllers = Path.Combine(folder, "kube-controller-manager");
        return new EnvtestAssets(
            Required(folder, "etcd"),
            Required(folder, "kube-apiserver"),
            File.Exists(controllers) ? controllers : null
        );
    }

    private static string Required(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        return File.Exists(path) ? path : throw Unavailable($"{Variable} names {folder}, which holds no {name}");
    }

    private static TestClusterUnavailableException Unavailable(string why) =>
        new($"{TestClusters.Variable}=envtest is not available: {why}.");
}
