namespace KubeLB.Api.Naming;

/// <summary>Names of node-port twins: the NodePort Services that the CCM makes beside a tenant's ClusterIP Services.</summary>
public static class NodePortTwinNames
{
    private const string Suffix = "-nodeport";
    private const int MaxServiceNameLength = 63;

    /// <summary>
    /// <c>service-nodeport</c>; where that would be longer than a Service's name may be (63), the name is cut and 4 hex
    /// digits of its SHA-256 keep it unique.
    /// </summary>
    public static string For(string service)
    {
        if (service.Length + Suffix.Length <= MaxServiceNameLength)
        {
            return service + Suffix;
        }

        var hash = GeneratedNames.Hash(service);
        var room = MaxServiceNameLength - Suffix.Length - 1 - hash.Length;
        return $"{service[..room].TrimEnd('-')}-{hash}{Suffix}";
    }
}
