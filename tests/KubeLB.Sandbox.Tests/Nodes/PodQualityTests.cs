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
    public void Where_nobody_says_it_is_what_an_api_server_would(string resources, string quality) =>
        PodQosClass.Of(Pod($$$"""{"spec":{"containers":[{"name":"a","resources":{{{resources}}}}]}}""")).Should().Be(quality);

    [Fact]
    public void What_the_api_server_says_stays() =>
        PodQosClass.Of(Pod("""{"spec":{"containers":[{"name":"a"}]},"status":{"qosClass":"Guaranteed"}}""")).Should().Be("Guaranteed");

    private static V1Pod Pod(string json) => KubernetesJson.Deserialize<V1Pod>(json);
}
