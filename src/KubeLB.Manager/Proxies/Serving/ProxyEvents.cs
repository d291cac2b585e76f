using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Hosting;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Resources;

namespace KubeLB.Manager.Proxies.Serving;

/// <summary>
/// Records Events on Tenants: a proxy rejected its configuration (NACK), or a client was denied a stream. The Event of a denied stream is
/// on the Tenant of the node id, else on that of the certificate. Invalid node ids, which clients control, are neither stored nor quoted.
/// </summary>
/// <param name="tenantOf">The Tenant of a node id; null if none.</param>
/// <param name="record">Records an Event with a reason and a message without waiting.</param>
/// <param name="time">The clock.</param>
internal sealed class ProxyEvents(Func<string, Tenant?> tenantOf, Action<Tenant, string, string> record, TimeProvider time) : IXdsObserver
{
    /// <summary>Reason: a proxy rejected a part of its configuration.</summary>
    public const string ProxyRejected = "ProxyRejected";

    /// <summary>Reason: a client was denied the configuration of a tenant's proxies.</summary>
    public const string ProxyDenied = "ProxyDenied";

    /// <summary>Maximum number of stored Events; further ones are only in the log and the metric.</summary>
    public const int Limit = 1_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Tenant, string Cause), long> _recorded = [];

    /// <inheritdoc/>
    public void Rejected(XdsStreamInfo stream, XdsRejection rejection)
    {
        if (tenantOf(stream.Node) is { } tenant && IsDue(tenant.Name, ProxyRejected))
        {
            // An error about a certificate may quote its key.
            var error = rejection.TypeUrl == ResourceTypes.Secret ? "see the proxy's log" : EnvoyText.OneLine(rejection.Message);
            record(
                tenant,
                ProxyRejected,
                Messages.ConfigurationRejected(XdsTypeNames.Of(rejection.TypeUrl), [.. rejection.Resources], error)
            );
        }
    }

    /// <inheritdoc/>
    public void Denied(string node, string peer, XdsDenial denial)
    {
        var tenantOfNode = tenantOf(node);
        if (
            (tenantOfNode ?? (denial.Identity is { } identity ? tenantOf(identity) : null)) is { } tenant
            && IsDue(tenant.Name, $"{ProxyDenied} {denial.Identity} {tenantOfNode is not null}")
        )
        {
            record(tenant, ProxyDenied, Message(tenantOfNode, node, XdsPeer.HostOf(peer), denial.Identity));
        }
    }

    private bool IsDue(string tenant, string cause)
    {
        lock (_gate)
        {
            if (_recorded.TryGetValue((tenant, cause), out var at) && time.GetElapsedTime(at) < Delays.ProxyEvent)
            {
                return false;
            }

            if (_recorded.Count >= Limit)
            {
                foreach (var (key, _) in _recorded.Where(r => time.GetElapsedTime(r.Value) >= Delays.ProxyEvent).ToList())
                {
                    _recorded.Remove(key);
                }
            }

            if (_recorded.Count < Limit)
            {
                _recorded[(tenant, cause)] = time.GetTimestamp();
                return true;
            }

            return false;
        }
    }

    private static string Message(Tenant? tenantOfNode, string node, string host, string? identity) =>
        (tenantOfNode, identity) switch
        {
            (null, _) => Messages.NodeIdMismatch(host, identity!),
            (_, null) => Messages.UntrustedCertificate(host, node),
            _ when identity == node => Messages.CertificateOfDeletedTenant(host, node),
            _ => Messages.CertificateOfOtherTenant(host, node, identity),
        };
}
