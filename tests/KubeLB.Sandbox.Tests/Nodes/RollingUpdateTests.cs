using k8s.Models;
using KubeLB.Sandbox.Nodes;

namespace KubeLB.Sandbox.Tests.Nodes;

public sealed class RollingUpdateTests
{
    [Fact]
    public void First_rollout_creates_all_pods() => new RollingUpdate(3, 1, 0).Next(default, []).Current.Should().Be(3);

    [Fact]
    public void Rollout_keeps_the_minimum_of_available_pods()
    {
        var rule = new RollingUpdate(2, 1, 0);

        Next(rule, new(0, 0), new SetSize(2, 2)).Should().Be((1, 2), "the surge is one");
        Next(rule, new(1, 0), new SetSize(2, 2)).Should().Be((1, 2), "the new pod is not available yet");
        Next(rule, new(1, 1), new SetSize(2, 2)).Should().Be((1, 1));
        Next(rule, new(1, 1), new SetSize(1, 2)).Should().Be((2, 1), "the status of the old pods is outdated");
        Next(rule, new(2, 1), new SetSize(1, 1)).Should().Be((2, 1));
        Next(rule, new(2, 2), new SetSize(1, 1)).Should().Be((2, 0));
    }

    [Fact]
    public void Unavailable_old_pods_are_scaled_down_first() =>
        Next(new RollingUpdate(2, 1, 0), new(1, 1), new SetSize(2, 1)).Should().Be((1, 1));

    [Fact]
    public void Rollout_without_surge_removes_an_old_pod_first()
    {
        var rule = new RollingUpdate(2, 0, 1);

        Next(rule, new(0, 0), new SetSize(2, 2)).Should().Be((0, 1));
        Next(rule, new(0, 0), new SetSize(1, 1)).Should().Be((1, 1));
    }

    [Theory]
    [InlineData(10, null, null, 3, 2)]
    [InlineData(10, "10%", "0", 1, 0)]
    [InlineData(1, "0", "25%", 0, 1)]
    public void Percentages_are_rounded_as_in_Kubernetes(
        int replicas,
        string? surge,
        string? unavailable,
        int expectedSurge,
        int expectedUnavailable
    )
    {
        var deployment = new V1Deployment
        {
            Spec = new V1DeploymentSpec
            {
                Replicas = replicas,
                Strategy = new V1DeploymentStrategy
                {
                    RollingUpdate = new V1RollingUpdateDeployment { MaxSurge = surge, MaxUnavailable = unavailable },
                },
            },
        };

        RollingUpdate.Of(deployment).Should().Be(new RollingUpdate(replicas, expectedSurge, expectedUnavailable));
    }

    private static (int Current, int Old) Next(RollingUpdate rule, SetSize current, SetSize old)
    {
        var (wanted, others) = rule.Next(current, [old]);
        return (wanted, others.Single());
    }
}
