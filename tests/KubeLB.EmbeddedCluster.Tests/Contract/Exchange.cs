using System.Text.Json.Nodes;

namespace KubeLB.EmbeddedCluster.Tests.Contract;

/// <summary>One recorded request to a real kube-apiserver, with what it answered.</summary>
public sealed record Exchange(string Name, JsonObject Request, JsonObject Response)
{
    public static IReadOnlyList<Exchange> All { get; } =
    [
        .. JsonNode.Parse(File.ReadAllText(System.IO.Path.Combine(AppContext.BaseDirectory, "Contract", "apiserver.json")))!["exchanges"]!
            .AsArray()
            .Select(exchange => new Exchange(
                (string)exchange!["name"]!,
                exchange["request"]!.AsObject(),
                exchange["response"]!.AsObject()
            )),
    ];

    public string Path => (string)Request["path"]!;

    public bool IsWatch => (bool?)Request["watch"] ?? false;

    public int Status => (int)Response["status"]!;
}
