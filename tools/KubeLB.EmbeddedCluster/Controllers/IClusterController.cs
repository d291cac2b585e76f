using KubeLB.EmbeddedCluster.Storage;

namespace KubeLB.EmbeddedCluster.Controllers;

/// <summary>Something that reacts to changes of the store, as kube-controller-manager's controllers do.</summary>
internal interface IClusterController
{
    void Handle(StoreChange change);
}
