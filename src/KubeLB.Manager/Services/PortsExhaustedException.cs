namespace KubeLB.Manager.Services;

/// <summary>All ports of a tenant's proxy are taken.</summary>
internal sealed class PortsExhaustedException(int first, int last)
    : Exception(
        $"All ports {first}-{last} of the tenant's proxy are taken, so this route is not served; remove routes or Services. "
            + "It is retried every 30 s."
    );
