namespace KubeLB.Runtime.Hosting;

/// <summary>Who waits while an API server does not serve a watched kind because its CustomResourceDefinition is not installed.</summary>
public enum WhenAbsent
{
    /// <summary>Every controller waits: nothing works without the kind.</summary>
    AllWait,

    /// <summary>The controllers of the kind wait, and <c>/readyz</c> says so; for the others there are no objects of it until it is installed.</summary>
    ItsControllersWait,

    /// <summary>Nobody waits: without the kind there are simply no objects of it. It is looked for again and again, at last every minute.</summary>
    NobodyWaits,
}
