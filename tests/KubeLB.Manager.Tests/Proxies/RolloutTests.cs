using k8s.Models;
using KubeLB.Manager.Proxies.Workload;

namespace KubeLB.Manager.Tests.Proxies;

/// <summary>Rollouts in the status of Deployments and DaemonSets.</summary>
public sealed class RolloutTests
{
    private const string Ended = "NewReplicaSetAvailable";
    private const string Underway = "ReplicaSetUpdated";

    [Theory]
    [InlineData(2, 3, 3, 3, Ended, false, "all pods are available")]
    [InlineData(2, 3, 3, 1, Ended, false, "pods that fail later are not a rollout")]
    [InlineData(2, 1, 1, 1, Ended, false, "a larger number of pods is not a rollout")]
    [InlineData(2, 3, 3, 3, null, false, "there is no condition without a progress deadline")]
    [InlineData(1, 3, 3, 3, Ended, true, "the spec is not observed")]
    [InlineData(2, 4, 1, 3, Ended, true, "old pods are left")]
    [InlineData(2, 4, 3, 4, Underway, true, "an old pod is left")]
    [InlineData(2, 3, 3, 2, Underway, true, "the last pod is not available")]
    [InlineData(2, 0, 0, 0, Underway, true, "there are no pods yet")]
    public void Deployment_rollout_ends_when_all_new_pods_are_available(
        long observed,
        int total,
        int updated,
        int available,
        string? reason,
        bool isRollout,
        string because
    )
    {
        var rollout = Rollout.Of(Deployment(observed, total, updated, available, reason));

        (rollout is not null).Should().Be(isRollout, because);
        rollout?.Failure.Should().BeNull();
    }

    [Theory]
    [InlineData(2, 4, 1, 3, true, "old pods are left")]
    [InlineData(2, 3, 3, 0, true, "no pod is available")]
    [InlineData(1, 3, 3, 3, false, "the status is outdated")]
    [InlineData(2, 3, 3, 2, false, "it has available pods and no old ones")]
    public void Rollout_without_available_or_with_old_pods_may_be_replaced(
        long observed,
        int total,
        int updated,
        int available,
        bool may,
        string because
    ) => Rollout.Of(Deployment(observed, total, updated, available, Underway))!.MayBeReplaced.Should().Be(may, because);

    [Fact]
    public void Exceeded_deadline_of_the_observed_spec_is_a_failure()
    {
        Rollout.Of(Deployment(2, 4, 1, 3, "ProgressDeadlineExceeded"))!.Failure.Should().Be("because");
        Rollout.Of(Deployment(1, 4, 1, 3, "ProgressDeadlineExceeded"))!.Failure.Should().BeNull("the corrected spec has not been observed");
    }

    [Theory]
    [InlineData(2, 5, 5, 5, false)]
    [InlineData(2, 0, 0, 0, false)]
    [InlineData(1, 5, 5, 5, true)]
    [InlineData(2, 5, 4, 5, true)]
    [InlineData(2, 5, 5, 4, true)]
    public void DaemonSet_rollout_ends_when_all_new_pods_are_available(long observed, int nodes, int updated, int available, bool isRollout)
    {
        var set = new V1DaemonSet
        {
            Metadata = new V1ObjectMeta { Generation = 2 },
            Status = new V1DaemonSetStatus
            {
                ObservedGeneration = observed,
                DesiredNumberScheduled = nodes,
                UpdatedNumberScheduled = updated,
                NumberAvailable = available,
            },
        };

        (Rollout.Of(set) is not null).Should().Be(isRollout);
    }

    [Fact]
    public void Missing_or_deleted_workload_has_no_rollout()
    {
        Rollout.Of((V1Deployment?)null).Should().BeNull();
        var deleted = Deployment(1, 4, 1, 3, Underway);
        deleted.Metadata.DeletionTimestamp = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        Rollout.Of(deleted).Should().BeNull();
    }

    private static V1Deployment Deployment(long observed, int total, int updated, int available, string? reason) =>
        new()
        {
            Metadata = new V1ObjectMeta { Generation = 2 },
            Spec = new V1DeploymentSpec { Replicas = 3 },
            Status = new V1DeploymentStatus
            {
                ObservedGeneration = observed,
                Replicas = total,
                UpdatedReplicas = updated,
                AvailableReplicas = available,
                Conditions = reason is null
                    ? null
                    :
                    [
                        new V1DeploymentCondition
                        {
                            Type = "Progressing",
                            Status = reason == "ProgressDeadlineExceeded" ? "False" : "True",
                            Reason = reason,
                            Message = "because",
                        },
                    ],
            },
        };
}
