using System.Text.Json;

namespace KubeLB.Runtime.Clusters;

/// <summary>How answers of an API server are read.</summary>
internal static class AnswerJson
{
    /// <summary>
    /// As deep as the API server itself goes (10,000). With less, one deeply nested object in a list would keep all the others from
    /// being read; an object too deep for its type is skipped by itself.
    /// </summary>
    public static readonly JsonDocumentOptions Options = new() { MaxDepth = 10_000 };
}
