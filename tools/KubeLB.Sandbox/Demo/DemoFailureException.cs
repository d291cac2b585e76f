using System.Text.Json.Nodes;

namespace KubeLB.Sandbox.Demo;

/// <summary>A step of a demo did not come true in time.</summary>
internal sealed class DemoFailureException(string message, JsonNode? evidence) : Exception(message)
{
    /// <summary>The status that tells why, if there is one.</summary>
    public JsonNode? Evidence => evidence;
}
