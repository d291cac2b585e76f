using k8s;
using k8s.Models;
using KubeLB.Sandbox.Nodes;

namespace KubeLB.Sandbox.Tests.Nodes;

public sealed class PodQualityTests
{
    [Theory]
    [InlineData("{}", "BestEffort")]
    [InlineData("""{"requests":{"ephemeral-storage":"1Gi"}}""", "BestEffort")]
    [InlineData("""{"requests":{"cpu":"20m"}}""", "Burstable")]
    [InlineData("""{"limits":{"cpu":"1"}}""", "Burstable")]
    [InlineData("""{"limits":{"cpu":"1","memory":"64Mi"}}""", "Guaranteed")]
    [InlineData("""{"requests":{"cpu":"1000m","memory":"64Mi"},"limits":{"cpu":"1","memory":"64Mi"}}""", "Guaranteed")]
    [InlineData("""{"requests":{"cpu":"500m","memory":"64Mi"},"limits":{"cpu":"1","memory":"64Mi"}}""", "Burstable")]
    public void Qos_class_is_computed_if_the_status_has_none(string resources, string quality) =>
        PodQosClass.Of(Pod($$$"""{"spec":{"containers":[{"name":"a","resources":{{{resources}}}}]}}""")).Should().Be(quality);

    [Fact]
    public void Qos_class_of_the_status_is_kept() =>
        PodQosClass.Of(Pod("""{"spec":{"containers":[{"name":"a"}]},"status":{"qosClass":"Guaranteed"}}""")).Should().Be("Guaranteed");

    private static V1Pod Pod(string json) => KubernetesJson.Deserialize<V1Pod>(json);
}
