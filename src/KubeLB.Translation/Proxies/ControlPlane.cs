namespace KubeLB.Translation.Proxies;

/// <summary>Where a tenant's proxies get their configuration, and how.</summary>
/// <param name="Host">DNS name of the manager's Service, which its certificate has, too.</param>
/// <param name="Port">Its port.</param>
/// <param name="IsPlain">In plain text, without certificates; false is mutual TLS.</param>
public sealed record ControlPlane(string Host, int Port, bool IsPlain = false);
