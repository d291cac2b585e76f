using System.Globalization;
using k8s.Models;

namespace KubeLB.Sandbox.Nodes;

/// <summary>The pods of a ReplicaSet: how many it shall have, and how many of those serve.</summary>
internal readonly record struct SetSize(int Wanted, int Available);

/// <summary>
/// How many pods the ReplicaSets of a Deployment get next, as Kubernetes decides it: never more than the surge allows, never fewer
/// available than the strategy allows, and old pods that do not serve go first. Pure.
/// https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
/// </summary>
/// <param name="Replicas">Pods that the Deployment asks for.</param>
/// <param name="Surge">Pods above those at most.</param>
/// <param name="Unavailable">Pods of those that may be missing.</param>
internal readonly record struct RollingUpdate(int Replicas, int Surge, int Unavailable)
{
    private const string Recreate = "Recreate";
    private const double DefaultShare = 0.25;

    /// <summary>The rule of a Deployment.</summary>
    public static RollingUpdate Of(V1Deployment deployment)
    {
        var replicas = deployment.Spec.Replicas ?? 1;
        if (deployment.Spec.Strategy?.Type == Recreate)
        {
            return new RollingUpdate(replicas, 0, replicas);
        }

        var rolling = deployment.Spec.Strategy?.RollingUpdate;
        var surge = Number(rolling?.MaxSurge, replicas, Math.Ceiling);
        var unavailable = Number(rolling?.MaxUnavailable, replicas, Math.Floor);
        return new RollingUpdate(replicas, surge, surge + unavailable == 0 ? 1 : unavailable);
    }

    /// <summary>Whether so many available pods are enough.</summary>
    public bool IsEnough(int available) => available >= Replicas - Unavailable;

    /// <summary>The numbers of pods from now on.</summary>
    /// <param name="current">The ReplicaSet of the present template.</param>
    /// <param name="old">The others, the oldest first.</param>
    public (int Current, IReadOnlyList<int> Old) Next(SetSize current, IReadOnlyList<SetSize> old)
    {
        var others = old.Select(o => o.Wanted).ToArray();
        if (others.Sum() == 0)
        {
            return (Replicas, others);
        }

        var grown = current.Wanted >= Replicas ? Replicas : Math.Max(current.Wanted, Math.Min(Replicas, Replicas + Surge - others.Sum()));
        var least = Replicas - Unavailable;
        var spare = grown + others.Sum() - least - Math.Max(0, grown - current.Available);
        for (var i = 0; i < old.Count && spare > 0; i++)
        {
            var failing = Math.Min(spare, Math.Max(0, others[i] - old[i].Available));
            (others[i], spare) = (others[i] - failing, spare - failing);
        }

        // What the status says of sets that were scaled down just now is too much.
        spare = Math.Min(spare, current.Available + old.Select((o, i) => Math.Min(o.Available, others[i])).Sum() - least);
        for (var i = 0; i < old.Count && spare > 0; i++)
        {
            var going = Math.Min(spare, others[i]);
            (others[i], spare) = (others[i] - going, spare - going);
        }

        return (grown, others);
    }

    private static int Number(IntOrString? value, int replicas, Func<double, double> round)
    {
        var text = value?.Value;
        if (string.IsNullOrEmpty(text))
        {
            return (int)round(replicas * DefaultShare);
        }

        return text.EndsWith('%')
            ? (int)round(replicas * double.Parse(text[..^1], CultureInfo.InvariantCulture) / 100)
            : int.Parse(text, CultureInfo.InvariantCulture);
    }
}
