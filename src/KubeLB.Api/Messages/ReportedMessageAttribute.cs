namespace KubeLB.Api.Messages;

/// <summary>
/// Marks a text that KubeLB reports in a condition or an Event: a constant, or a static method that takes only strings, numbers, times and
/// lists of strings and returns the text. Its <c>summary</c> states the cause. <c>docs/reference/messages.md</c> is generated from these
/// marks, and tests check the length and the words of each text.
/// </summary>
/// <param name="reason">The reason that the condition or Event carries, CamelCase.</param>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Field, AllowMultiple = true)]
public sealed class ReportedMessageAttribute(string reason) : Attribute
{
    /// <summary>The reason that the condition or Event carries.</summary>
    public string Reason => reason;

    /// <summary>The kinds of object that carry it, separated by commas: <c>HTTPRoute, GRPCRoute</c>.</summary>
    public required string On { get; init; }

    /// <summary>The condition with its status, <c>Accepted=False</c>; null if only an Event carries the text.</summary>
    public string? Condition { get; init; }

    /// <summary>The Event's type, <c>Warning</c> or <c>Normal</c>; null if no Event carries the text.</summary>
    public string? Event { get; init; }

    /// <summary>Who reads it. Texts for tenants never name objects of the management cluster.</summary>
    public MessageReader Reader { get; init; } = MessageReader.Tenant;

    /// <summary>What the reader must do; null if no action is required or the text itself states it.</summary>
    public string? Remedy { get; init; }
}

/// <summary>Who reads a message.</summary>
public enum MessageReader
{
    /// <summary>A tenant, in its own cluster.</summary>
    Tenant,

    /// <summary>The administrator of the management cluster.</summary>
    Administrator,
}
