using System.Buffers;

namespace KubeLB.Xds.Discovery;

/// <summary>
/// Finds the resources that a client's error speaks of. Envoy names them, in words that differ from type to type:
/// <c>Error adding/updating cluster(s) a: message, b: message</c>; of others, such as endpoints, it may name none.
/// </summary>
internal static class NamedResources
{
    private static readonly SearchValues<char> Ends = SearchValues.Create(" \t\r\n\"'`,;()[]{}<>=");

    /// <summary>The names in a message, each once, in its order; at most <see cref="XdsRejection.MaxNames"/>.</summary>
    /// <param name="message">The client's words.</param>
    /// <param name="isResource">Whether a word is the name of a resource that the client was sent.</param>
    public static IReadOnlyList<string> In(string message, Func<string, bool> isResource)
    {
        var found = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var range in message.AsSpan().SplitAny(Ends))
        {
            // Names may end with these, sentences do.
            foreach (var word in new[] { message[range], message[range].TrimEnd(':', '.') })
            {
                if (word.Length > 0 && found.Count < XdsRejection.MaxNames && seen.Add(word) && isResource(word))
                {
                    found.Add(word);
                    break;
                }
            }
        }

        return found;
    }
}
