namespace KubeLB.Runtime.Hosting;

/// <summary>Who waits while an API server does not serve a watched kind because its CustomResourceDefinition is not installed.</summary>
public enum WhenAbsent
{
    /// <summary>Every controller waits: nothing works without the kind.</summary>
    AllWait,

    /// <summary>
    /// The controllers of the kind wait, and <c>/readyz</c> says so; the others run with what the store holds, nothing if the kind was
    /// never served.
    /// </summary>
    ItsControllersWait,

    /// <summary>Nobody waits for the first list. The kind is listed again and again, at last every minute.</summary>
    NotAwaited,
}
