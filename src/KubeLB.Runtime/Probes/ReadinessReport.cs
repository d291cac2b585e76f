using System.Text;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Watching;

namespace KubeLB.Runtime.Probes;

/// <summary>A condition of <c>/readyz</c> in addition to the informers. Register any number as singletons.</summary>
public interface IReadinessCheck
{
    /// <summary>The name of the check, for example <c>xds server</c>.</summary>
    string Name { get; }

    /// <summary>The reason in one sentence if it is not ready; null if it is ready. Must not block.</summary>
    string? Problem { get; }
}

/// <summary>
/// Creates the response of <c>/readyz</c>: ready when every required cache has synced and every check passes. Each problem has a line, even
/// if it does not make the process unready; an error that affects all kinds of a cluster has one line.
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
            var states = cluster.Informers.Select(informer => (Informer: informer, informer.Error)).ToList();
            foreach (var shared in states.Where(s => s.Error is { IsClusterWide: true }).GroupBy(s => s.Error!.Category))
            {
                var isFatal =
                    options.NotReadyWhenDisconnected
                    || shared.Any(s => !s.Informer.HasSynced && cluster.IsRequiredForReadiness(s.Informer.Kind));
                Line($"cluster {cluster.Name}", shared.First().Error!.Message, isFatal);
            }

            foreach (var (informer, error) in states.Where(s => s.Error is not { IsClusterWide: true }))
            {
                var problem = error?.Message ?? (informer.HasSynced ? null : "not synced yet");
                Line(
                    $"informer {cluster.Name}/{informer.Kind.FullName}",
                    problem,
                    cluster.IsRequiredForReadiness(informer.Kind) && IsFatal(informer, error)
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

    // A kind that may be absent does not make the process unready while it is not served.
    private bool IsFatal(IInformerRunner informer, ApiError? error) =>
        !(informer.WhenAbsent != WhenAbsent.BlockAllControllers && error?.Category == ApiError.NotServed)
        && (options.NotReadyWhenDisconnected || !informer.HasSynced);
}
