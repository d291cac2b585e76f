namespace KubeLB.Api.Serialization;

/// <summary>Times as statuses hold them.</summary>
public static class StatusTime
{
    /// <summary>RFC 3339 in UTC, whole seconds, like <c>metav1.Time</c>.</summary>
    public static string Of(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ");
}
