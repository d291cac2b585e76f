using System.Text.Json;

namespace KubeLB.EmbeddedCluster.Http;

/// <summary>List metadata of a paged list.</summary>
/// <param name="Continue">The token of the next page; null on the last page.</param>
/// <param name="Remaining">The number of remaining objects, if known.</param>
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
