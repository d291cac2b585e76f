namespace KubeLB.Ccm;

/// <summary>Times as statuses hold them.</summary>
internal static class StatusTime
{
    /// <summary>The time, RFC 3339 in UTC, whole seconds.</summary>
    public static string Now(this TimeProvider time) => time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ssZ");
}
