using System.Globalization;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Runtime.Clusters;

namespace KubeLB.Runtime.Events;

/// <summary>An Event before it is sent.</summary>
/// <param name="About">The object that it is about.</param>
/// <param name="Type">How much it matters.</param>
/// <param name="Reason">Why, for machines.</param>
/// <param name="Message">What happened, for people; within the limit.</param>
internal sealed record RecordedEvent(EventSubject About, EventType Type, string Reason, string Message)
{
    /// <summary>The API server takes 1,024.</summary>
    public const int MessageLimit = 1000;

    private const int NameLimit = 253;

    /// <summary>Where the Event lives: beside its object, or in <c>default</c> for an object without a namespace.</summary>
    public string Namespace => About.Namespace.Length == 0 ? "default" : About.Namespace;

    public static RecordedEvent Of<T>(T about, EventType type, string reason, string message)
        where T : class, IKubernetesObject<V1ObjectMeta> => new(EventSubject.Of(about), type, reason, Cut(message));

    /// <summary>The patch of an Event that happened again.</summary>
    public static JsonObject Repetition(EventMemory.Entry entry) => new() { ["count"] = entry.Count, ["lastTimestamp"] = Text(entry.Last) };

    /// <summary><c>object.hex</c>, as Kubernetes' own components call Events.</summary>
    public string NameAt(long stamp)
    {
        var suffix = $".{stamp:x}";
        var name = About.Name.Length + suffix.Length > NameLimit ? About.Name[..(NameLimit - suffix.Length)].TrimEnd('.', '-') : About.Name;
        return name + suffix;
    }

    public JsonObject ToJson(string name, string component, EventMemory.Entry entry) =>
        new()
        {
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = Namespace },
            ["involvedObject"] = About.ToJson(),
            ["type"] = $"{Type}",
            ["reason"] = Reason,
            ["message"] = Message,
            ["source"] = new JsonObject { ["component"] = component },
            ["reportingComponent"] = component,
            ["reportingInstance"] = "",
            ["firstTimestamp"] = Text(entry.First),
            ["lastTimestamp"] = Text(entry.Last),
            ["count"] = entry.Count,
        };

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Cut(string message)
    {
        if (message.Length <= MessageLimit)
        {
            return message;
        }

        var end = MessageLimit - 1;
        return message[..(char.IsHighSurrogate(message[end - 1]) ? end - 1 : end)] + "…";
    }
}

/// <summary>The object that an Event is about.</summary>
internal sealed record EventSubject(string ApiVersion, string Kind, string Namespace, string Name, string Uid, string? ResourceVersion)
{
    public static EventSubject Of<T>(T value)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var kind = ResourceKind.Of<T>();
        var metadata = value.Metadata;
        return new EventSubject(
            kind.ApiVersion,
            kind.Kind,
            metadata.NamespaceProperty ?? "",
            metadata.Name,
            metadata.Uid ?? "",
            metadata.ResourceVersion
        );
    }

    public JsonObject ToJson()
    {
        var json = new JsonObject
        {
            ["apiVersion"] = ApiVersion,
            ["kind"] = Kind,
            ["name"] = Name,
            ["uid"] = Uid,
        };
        if (Namespace.Length > 0)
        {
            json["namespace"] = Namespace;
        }

        if (ResourceVersion is not null)
        {
            json["resourceVersion"] = ResourceVersion;
        }

        return json;
    }
}
