using System.Text;
using KubeLB.Runtime.Clusters;

namespace KubeLB.Runtime.Probes;

/// <summary>Computes what <c>/readyz</c> answers: ready once every cache has synced and every further check passes.</summary>
internal sealed class ReadinessReport(IEnumerable<Cluster> clusters, IEnumerable<IReadinessCheck> checks)
{
    private readonly Cluster[] _clusters = [.. clusters];
    private readonly IReadinessCheck[] _checks = [.. checks];

    public (bool Ready, string Text) Create(bool verbose)
    {
        var ready = true;
        var lines = new StringBuilder();
        foreach (var cluster in _clusters)
        {
            foreach (var informer in cluster.Informers)
            {
                var problem = informer.HasSynced ? null : informer.LastError ?? "not synced yet";
                var note = informer.LastError is { } stale ? $"ok, from the cache ({stale})" : "ok";
                Line($"informer {cluster.Name}/{informer.Kind.FullName}", problem, note);
            }
        }

        foreach (var check in _checks)
        {
            Line(check.Name, check.Problem, "ok");
        }

        return (ready, lines.Length == 0 ? "ok\n" : lines.ToString());

        void Line(string name, string? problem, string note)
        {
            ready &= problem is null;
            if (problem is not null || verbose)
            {
                lines.Append(name).Append(": ").Append(problem ?? note).Append('\n');
            }
        }
    }
}
