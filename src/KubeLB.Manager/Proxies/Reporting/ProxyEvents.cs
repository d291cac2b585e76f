using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Certificates;
using KubeLB.Manager.Hosting;
using KubeLB.Xds.Discovery;
using KubeLB.Xds.Resources;

namespace KubeLB.Manager.Proxies.Reporting;

/// <summary>
/// Events on Tenants: a proxy rejected its configuration (NACK), or a client was refused a stream. A refused stream concerns the Tenant
/// that the node id names, else the one that the certificate names; node ids that a client makes up are neither remembered nor repeated.
/// </summary>
/// <param name="tenantOf">The Tenant that a node id is of; null if none.</param>
/// <param name="record">Records an Event with a reason and a message; returns at once.</param>
/// <param name="time">The clock.</param>
internal sealed class ProxyEvents(Func<string, Tenant?> tenantOf, Action<Tenant, string, string> record, TimeProvider time) : IXdsObserver
{
    /// <summary>Reason: a proxy rejected a part of its configuration.</summary>
    public const string ProxyRejected = "ProxyRejected";

    /// <summary>Reason: a client was refused the configuration of a tenant's proxies.</summary>
    public const string ProxyDenied = "ProxyDenied";

    /// <summary>How many Events are remembered; further ones are in the log and in the metric.</summary>
    public const int Limit = 1_000;

    private const int MostNames = 3;

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Tenant, string What), long> _recorded = [];

    /// <inheritdoc/>
    public void Rejected(XdsStreamInfo stream, XdsRejection rejection)
    {
        if (tenantOf(stream.Node) is { } tenant && IsDue(tenant.Name, ProxyRejected))
        {
            var names = string.Join(", ", rejection.Resources.Take(MostNames));
            var more = rejection.Resources.Count > MostNames ? $" and {rejection.Resources.Count - MostNames} more" : "";

            // What a proxy says of a certificate may quote its key.
            var message = rejection.TypeUrl == ResourceTypes.Secret ? "see the proxy's log" : EnvoyText.OneLine(rejection.Message);
            record(
                tenant,
                ProxyRejected,
                $"Envoy rejected the {XdsTypeNames.Of(rejection.TypeUrl)} {names}{more} and keeps the last accepted configuration: "
                    + $"{message.TrimEnd('.')}. See the manager's log and /debug/xds."
            );
        }
    }

    /// <inheritdoc/>
    public void Denied(string node, string peer, XdsDenial denial)
    {
        var named = tenantOf(node);
        if (
            (named ?? (denial.Identity is { } identity ? tenantOf(identity) : null)) is { } tenant
            && IsDue(tenant.Name, $"{ProxyDenied} {denial.Identity} {named is not null}")
        )
        {
            record(tenant, ProxyDenied, Message(named, node, XdsPeer.HostOf(peer), denial.Identity));
        }
    }

    private bool IsDue(string tenant, string what)
    {
        lock (_gate)
        {
            if (_recorded.TryGetValue((tenant, what), out var at) && time.GetElapsedTime(at) < Delays.ProxyEvent)
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
                _recorded[(tenant, what)] = time.GetTimestamp();
                return true;
            }

            return false;
        }
    }

    private static string Message(Tenant? named, string node, string host, string? identity)
    {
        const string IfOfTenant = "If it is a proxy of this tenant,";
        const string Secret = CertificateSecrets.Client;
        return $"Refused xDS stream from {host}: "
            + (named, identity) switch
            {
                (null, _) => $"its certificate is for {identity}, its node.id is another. {IfOfTenant} set node.id to {identity}.",
                (_, null) => $"its certificate is not one of the manager's. {IfOfTenant} mount the present Secret {Secret} of {node}.",
                _ when identity == node => $"its certificate is for an earlier Tenant of this name. "
                    + $"{IfOfTenant} mount the present Secret {Secret} of {node}.",
                _ => $"its certificate is for {identity}. {IfOfTenant} mount Secret {Secret} of {node}; else find out who uses it.",
            };
    }
}
