using System.Text.Json;

namespace KubeLB.EmbeddedCluster.Http;

/// <summary>Where a paged list goes on.</summary>
/// <param name="Continue">The token for the next page; null on the last one.</param>
/// <param name="Remaining">How many objects follow, where that is known.</param>
internal sealed record ListMetadata(string? Continue, long? Remaining)
{
    public void WriteMembers(Utf8JsonWriter json)
    {
        if (Continue is not null)
        {
            json.WriteString("continue", Continue);
        }
        if (Remaining is { } remaining)
        {
            json.WriteNumber("remainingItemCount", remaining);
        }
    }
}
