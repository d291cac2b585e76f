using System.Text.Json;
using System.Text.Json.Nodes;

namespace KubeLB.Tests.Shared;

/// <summary>
/// Validates messages with Envoy's published protos: <c>tests/interop/xds/check-messages.mjs</c>. Its tests are skipped where Node.js
/// or the packages are missing.
/// </summary>
public sealed class PublishedProtos : IAsyncLifetime
{
    private readonly Lazy<NodeProgram> _program = new(() => NodeProgram.Start("check-messages.mjs"));

    /// <summary>
    /// The rules of protoc-gen-validate that apply to the manager's messages, also to fields that it leaves out; each
    /// of them is shown to be enforced.
    /// </summary>
    public static IReadOnlyList<string> Rules { get; } =
    [
        "bool.const",
        "double.gte",
        "double.lte",
        "duration.gt",
        "duration.gte",
        "duration.lt",
        "duration.required",
        "enum.defined_only",
        "enum.not_in",
        "int64.gt",
        "message.required",
        "oneof.required",
        "repeated.max_items",
        "repeated.min_items",
        "string.in",
        "string.max_bytes",
        "string.min_len",
        "string.pattern",
        "string.well_known_regex",
        "uint32.gt",
        "uint32.gte",
        "uint32.lt",
        "uint32.lte",
        "uint64.gt",
    ];

    /// <summary>What is wrong with a message.</summary>
    /// <param name="type">Its full name.</param>
    /// <param name="bytes">As it is sent.</param>
    public Task<Checked> CheckAsync(string type, byte[] bytes) =>
        AskAsync(new JsonObject { ["type"] = type, ["bytes"] = Convert.ToBase64String(bytes) });

    /// <summary>What is wrong with a message.</summary>
    /// <param name="type">Its full name.</param>
    /// <param name="json">As Envoy reads it from a file.</param>
    /// <param name="proto">A .proto file that has the type; null for those that are published.</param>
    public Task<Checked> CheckAsync(string type, string json, string? proto = null) =>
        AskAsync(
            new JsonObject
            {
                ["type"] = type,
                ["json"] = JsonNode.Parse(json),
                ["proto"] = proto,
            }
        );

    /// <summary>Counts the rules in the published files, and those that were understood.</summary>
    public async Task<JsonElement> CountAsync()
    {
        NodeProgram.SkipUnlessInstalled();
        _program.Value.Say("rules");
        return await _program.Value.NextAsync("stated");
    }

    public ValueTask DisposeAsync() => _program.IsValueCreated ? _program.Value.DisposeAsync() : ValueTask.CompletedTask;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    private async Task<Checked> AskAsync(JsonObject message)
    {
        NodeProgram.SkipUnlessInstalled();
        _program.Value.Say(message.ToJsonString());
        var line = await _program.Value.NextAsync("faults");
        return new Checked(
            [.. line.GetProperty("faults").EnumerateArray().Select(f => f.GetString()!)],
            line.GetProperty("messages").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetInt32()),
            [.. line.GetProperty("met").EnumerateArray().Select(f => f.GetString()!)]
        );
    }
}

/// <summary>What was found in a message and in all that it holds.</summary>
/// <param name="Faults">What is wrong, as <c>path: text</c>.</param>
/// <param name="Messages">Full name of a message to how often it was met.</param>
/// <param name="Rules">The rules that these messages have.</param>
public sealed record Checked(IReadOnlyList<string> Faults, IReadOnlyDictionary<string, int> Messages, IReadOnlyList<string> Rules);
