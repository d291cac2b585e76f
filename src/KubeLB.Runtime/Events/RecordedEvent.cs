using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Api.Messages;
using KubeLB.Api.Serialization;
using KubeLB.Runtime.Clusters;

namespace KubeLB.Runtime.Events;

/// <summary>An Event before it is sent.</summary>
/// <param name="Subject">The involved object.</param>
/// <param name="Type">The type.</param>
/// <param name="Reason">The reason, a CamelCase word.</param>
/// <param name="Message">The message, within <see cref="MaxMessageLength"/>.</param>
internal sealed record RecordedEvent(EventSubject Subject, EventType Type, string Reason, string Message)
{
    /// <summary>The maximum length of a message. The limit of the API server is 1,024.</summary>
    public const int MaxMessageLength = 1000;

    private const int MaxNameLength = 253;

    /// <summary>The namespace of the object, or <c>default</c> for an object without a namespace.</summary>
    public string Namespace => Subject.Namespace.Length == 0 ? "default" : Subject.Namespace;

    public static RecordedEvent Create<T>(T subject, EventType type, string reason, string message)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        new(EventSubject.From(subject), type, reason, MessageText.Message(message, MaxMessageLength));

    /// <summary>The patch for a repetition of an Event.</summary>
    public static JsonObject RepeatPatch(EventCorrelator.Entry entry) =>
        new() { ["count"] = entry.Count, ["lastTimestamp"] = StatusTime.Of(entry.Last) };

    /// <summary>The name <c>object.hex</c>, as client-go generates it.</summary>
    public string NameFor(long stamp)
    {
        var suffix = $".{stamp:x}";
        var name =
            Subject.Name.Length + suffix.Length > MaxNameLength
                ? Subject.Name[..(MaxNameLength - suffix.Length)].TrimEnd('.', '-')
                : Subject.Name;
        return name + suffix;
    }

    public JsonObject ToJson(string name, string component, EventCorrelator.Entry entry) =>
        new()
        {
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = Namespace },
            ["involvedObject"] = Subject.ToJson(),
            ["type"] = $"{Type}",
            ["reason"] = Reason,
            ["message"] = Message,
            ["source"] = new JsonObject { ["component"] = component },
            ["reportingComponent"] = component,
            ["reportingInstance"] = "",
            ["firstTimestamp"] = StatusTime.Of(entry.First),
            ["lastTimestamp"] = StatusTime.Of(entry.Last),
            ["count"] = entry.Count,
        };
}

/// <summary>The involved object of an Event.</summary>
internal sealed record EventSubject(string ApiVersion, string Kind, string Namespace, string Name, string Uid, string? ResourceVersion)
{
    public static EventSubject From<T>(T value)
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
