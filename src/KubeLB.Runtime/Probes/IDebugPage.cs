using System.Text.Json.Nodes;

namespace KubeLB.Runtime.Probes;

/// <summary>
/// Something that this process shows of its inside, on the port of the probes, to clients on its own loopback interface only
/// (<c>kubectl port-forward</c> is one). Register any number as singletons. A page holds no secrets all the same.
/// </summary>
public interface IDebugPage
{
    /// <summary>Where it is, for example <c>/debug/xds</c>.</summary>
    string Path { get; }

    /// <summary>What it shows. Called for each request, for many at once.</summary>
    /// <param name="query">The request's query: the last value of each name.</param>
    JsonNode Show(IReadOnlyDictionary<string, string> query);
}
