namespace KubeLB.Manager.Services;

/// <summary>All ports of a tenant's proxy are taken.</summary>
internal sealed class PortsExhaustedException()
    : Exception("All ports 10000-65535 of the tenant's proxy are taken; remove routes or Services before adding more.");
