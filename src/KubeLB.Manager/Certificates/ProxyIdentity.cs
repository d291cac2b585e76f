namespace KubeLB.Manager.Certificates;

/// <summary>
/// Whose proxies a certificate is for. A Tenant that is created anew under its name is another one: what the former one's proxies had opens
/// nothing.
/// </summary>
/// <param name="TenantNamespace">The tenant's namespace, which is the proxies' node id.</param>
/// <param name="TenantUid">Uid of the Tenant.</param>
internal sealed record ProxyIdentity(string TenantNamespace, string TenantUid);
