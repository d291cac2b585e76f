namespace KubeLB.Manager.Certificates;

/// <summary>How long certificates last, and how long before their end they are replaced.</summary>
internal static class CertificateTimes
{
    /// <summary>Of an authority.</summary>
    public static readonly TimeSpan Authority = TimeSpan.FromDays(5 * 365);

    /// <summary>
    /// Before its end, from when on the next authority is trusted; it does not sign yet, so that everybody can learn of it.
    /// </summary>
    public static readonly TimeSpan NextAuthority = TimeSpan.FromDays(365);

    /// <summary>Before its end, from when on the next authority signs.</summary>
    public static readonly TimeSpan ChangeOfAuthority = TimeSpan.FromDays(300);

    /// <summary>After the next authority came, from when on it may sign at the earliest: everybody has to have heard of it.</summary>
    public static readonly TimeSpan Announcement = TimeSpan.FromDays(7);

    /// <summary>Of a server's or client's certificate.</summary>
    public static readonly TimeSpan Leaf = TimeSpan.FromDays(90);

    /// <summary>Before its end, from when on it is replaced.</summary>
    public static readonly TimeSpan Renewal = TimeSpan.FromDays(30);

    /// <summary>How often all of that is looked at.</summary>
    public static readonly TimeSpan Look = TimeSpan.FromHours(6);
}
