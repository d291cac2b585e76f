using System.Text.Json;

namespace KubeLB.Runtime.Watching;

/// <summary>One line of a watch.</summary>
/// <param name="Type">ADDED, MODIFIED, DELETED, BOOKMARK or ERROR.</param>
/// <param name="Object">The object, or the Status of an ERROR.</param>
internal readonly record struct WatchFrame(string Type, JsonElement Object);
