using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Certificates;
using KubeLB.Xds.Discovery;

namespace KubeLB.Manager.Proxies.Reports;

/// <summary>
/// The streams that this replica refused of late, as far as a Tenant is concerned: the one that the node id names, else the one that the
/// certificate names. Node ids that a client makes up are neither remembered nor repeated.
/// </summary>
/// <param name="tenantOf">The Tenant that a node id is of; null if none.</param>
/// <param name="time">The clock.</param>
internal sealed class RefusedStreams(Func<string, Tenant?> tenantOf, TimeProvider time) : IXdsObserver
{
    /// <summary>How many are remembered; further ones are in the log and in the metric.</summary>
    public const int Limit = 100;

    /// <summary>How long one is remembered, and until a repetition is told again.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromMinutes(10);

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Tenant, string? Identity, bool NamesIt), RefusedStream> _refused = [];

    /// <summary>Something changed.</summary>
    public event Action? Changed;

    /// <summary>Those of late, in a stable order, and when that changes by itself; null if it does not.</summary>
    public (IReadOnlyList<RefusedStream> Streams, DateTimeOffset? Until) Now()
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            foreach (var (key, _) in _refused.Where(r => r.Value.At + Memory <= now).ToList())
            {
                _refused.Remove(key);
            }

            return (
                [.. _refused.Values.OrderBy(r => r.Tenant, StringComparer.Ordinal).ThenBy(r => r.Message, StringComparer.Ordinal)],
                _refused.Count == 0 ? null : _refused.Values.Min(r => r.At) + Memory);
        }
    }

    /// <inheritdoc/>
    public void Refused(string node, string peer, XdsRefusal refusal)
    {
        var named = tenantOf(node);
        if ((named ?? (refusal.Identity is { } identity ? tenantOf(identity) : null)) is not { } tenant)
        {
            return;
        }

        lock (_gate)
        {
            var key = (tenant.Name, refusal.Identity, named is not null);
            var now = time.GetUtcNow();
            if (_refused.TryGetValue(key, out var known) ? known.At + Memory > now : _refused.Count >= Limit)
            {
                return;
            }

            _refused[key] = new RefusedStream(tenant.Name, Message(named, node, XdsPeer.HostOf(peer), refusal.Identity), now);
        }

        Changed?.Invoke();
    }

    private static string Message(Tenant? named, string node, string host, string? identity) => (named, identity) switch
    {
        (null, _) => $"A client at {host} with the certificate of this tenant's proxies asked for another node id and was refused. If it is one of this tenant's proxies, set its node.id to {identity}.",
        (_, null) => $"A client at {host} asked for the configuration of this tenant's proxies with a certificate that is not one of the manager's, and was refused. If it is one of them, let it read the present Secret {CertificateSecrets.Client} of namespace {node}.",
        _ when identity == node => $"A client at {host} asked for the configuration of this tenant's proxies with the certificate of a Tenant that had this name before, and was refused. If it is one of this tenant's proxies, mount the present Secret {CertificateSecrets.Client} of namespace {node}; else find out who uses that certificate.",
        _ => $"A client at {host} asked for the configuration of this tenant's proxies with the certificate of {identity}, and was refused. If it is one of them, mount Secret {CertificateSecrets.Client} of namespace {node}; else find out who uses that certificate.",
    };
}

/// <summary>A client that was refused.</summary>
/// <param name="Tenant">Name of the Tenant that it concerns.</param>
/// <param name="Message">What happened and what to do.</param>
/// <param name="At">When; for a repetition, that of the first within <see cref="RefusedStreams.Memory"/>.</param>
internal sealed record RefusedStream(string Tenant, string Message, DateTimeOffset At);
