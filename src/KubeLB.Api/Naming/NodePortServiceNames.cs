namespace KubeLB.Api.Naming;

/// <summary>Names of node-port twins: the NodePort Services that the CCM makes beside a tenant's ClusterIP Services.</summary>
public static class NodePortServiceNames
{
    private const string Suffix = "-nodeport";
    private const int MaxServiceNameLength = 63;

    /// <summary>
    /// The names a twin may have, best first: <c>service-nodeport</c>, and for where that is taken by a Service of somebody
    /// else's, or longer than a Service's name may be (63), the name cut and told apart by 4 hex digits of its SHA-256.
    /// </summary>
    public static IReadOnlyList<string> Candidates(string service)
    {
        var hash = GeneratedNames.Hash(service);
        var room = MaxServiceNameLength - Suffix.Length - 1 - hash.Length;
        var hashed = $"{(service.Length > room ? service[..room].TrimEnd('-') : service)}-{hash}{Suffix}";
        return service.Length + Suffix.Length <= MaxServiceNameLength ? [service + Suffix, hashed] : [hashed];
    }
}
