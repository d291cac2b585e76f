namespace KubeLB.Api;

/// <summary>Finalizers that KubeLB sets.</summary>
public static class Finalizers
{
    /// <summary>On the tenant's objects, Routes, Tenants and SyncSecrets: what was made from them must go first.</summary>
    public const string Cleanup = "kubelb.k8c.io/cleanup";
}
