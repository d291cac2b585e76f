using KubeLB.EmbeddedCluster.Storage;

namespace KubeLB.EmbeddedCluster.Controllers;

/// <summary>Reacts to changes of the store, as the controllers of kube-controller-manager do.</summary>
internal interface IClusterController
{
    void Handle(StoreChange change);
}
