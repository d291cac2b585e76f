using System.Text.Json;
using System.Text.Json.Serialization;

namespace KubeLB.Api;

/// <summary>
/// A part of an API object that keeps the fields it does not know, so that an object written against a newer version of
/// its API passes through unharmed.
/// </summary>
public abstract class Extensible
{
    /// <summary>Fields that this type does not name, as they were read; written back unchanged.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}
