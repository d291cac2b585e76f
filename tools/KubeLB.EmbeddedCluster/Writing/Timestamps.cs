using System.Globalization;

namespace KubeLB.EmbeddedCluster.Writing;

/// <summary>Timestamps in metadata: UTC, whole seconds.</summary>
internal static class Timestamps
{
    public static string Now(TimeProvider time) => Format(time.GetUtcNow());

    public static string Format(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
