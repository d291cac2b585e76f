namespace KubeLB.Runtime.Events;

/// <summary>How much an Event matters.</summary>
public enum EventType
{
    /// <summary>Things go as they should.</summary>
    Normal,

    /// <summary>Somebody has to do something.</summary>
    Warning,
}
