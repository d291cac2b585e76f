using System.Text;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Watching;

namespace KubeLB.Runtime.Probes;

/// <summary>
/// Computes what <c>/readyz</c> answers: ready once every cache that is needed has synced and every further check passes. Whatever is wrong
/// has a line of its own, also where it does not make the process unready; a trouble that all kinds of a cluster share has one for all of
/// them.
/// </summary>
internal sealed class ReadinessReport(KubeRuntimeOptions options, IEnumerable<Cluster> clusters, IEnumerable<IReadinessCheck> checks)
{
    private readonly Cluster[] _clusters = [.. clusters];
    private readonly IReadinessCheck[] _checks = [.. checks];

    public (bool Ready, string Text) Create(bool verbose)
    {
        var ready = true;
        var lines = new StringBuilder();
        foreach (var cluster in _clusters)
        {
            var states = cluster.Informers.Select(informer => (Informer: informer, informer.Trouble)).ToList();
            foreach (var shared in states.Where(s => s.Trouble is { IsOfCluster: true }).GroupBy(s => s.Trouble!.Category))
            {
                var isFatal =
                    options.NotReadyWhenDisconnected
                    || shared.Any(s => !s.Informer.HasSynced && cluster.IsNeededForReadiness(s.Informer.Kind));
                Line($"cluster {cluster.Name}", shared.First().Trouble!.Sentence, isFatal);
            }

            foreach (var (informer, trouble) in states.Where(s => s.Trouble is not { IsOfCluster: true }))
            {
                var problem = trouble?.Sentence ?? (informer.HasSynced ? null : "not synced yet");
                Line(
                    $"informer {cluster.Name}/{informer.Kind.FullName}",
                    problem,
                    cluster.IsNeededForReadiness(informer.Kind) && IsFatal(informer, trouble)
                );
            }
        }

        foreach (var check in _checks)
        {
            Line(check.Name, check.Problem, isFatal: true);
        }

        return (ready, lines.Length == 0 ? "ok\n" : lines.ToString());

        void Line(string name, string? problem, bool isFatal)
        {
            ready &= problem is null || !isFatal;
            if (problem is not null || verbose)
            {
                lines
                    .Append(name)
                    .Append(": ")
                    .Append(
                        problem is null ? "ok"
                        : isFatal ? problem
                        : $"ok, but: {problem}"
                    )
                    .Append('\n');
            }
        }
    }

    // A kind that need not be there may also go.
    private bool IsFatal(IInformerRunner informer, ApiError? trouble) =>
        !(informer.WhenAbsent != WhenAbsent.AllWait && trouble?.Category == ApiError.NotServed)
        && (options.NotReadyWhenDisconnected || !informer.HasSynced);
}
