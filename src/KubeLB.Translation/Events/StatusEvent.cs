namespace KubeLB.Translation.Events;

/// <summary>Something that a change of an object's status tells people.</summary>
/// <param name="IsWarning">Whether somebody has to do something.</param>
/// <param name="Reason">The condition's reason, or what happened in one word.</param>
/// <param name="Message">What happened and, where it went wrong, what to do.</param>
public sealed record StatusEvent(bool IsWarning, string Reason, string Message)
{
    /// <summary>Reason: what was served or refused by KubeLB no longer concerns it.</summary>
    public const string Released = "Released";

    /// <summary>Reason: all proxies accepted the configuration.</summary>
    public const string ProxiesTakeIt = "ProxyProgrammed";

    internal const string ProxiesTakeItAgain = "All proxies accepted the configuration.";

    internal static StatusEvent Normal(string reason, string message) => new(IsWarning: false, reason, message);

    internal static StatusEvent Warning(string reason, string message) =>
        new(IsWarning: true, reason, Advice.For(reason) is { } advice ? $"{message.TrimEnd('.')}. {advice}" : message);
}
