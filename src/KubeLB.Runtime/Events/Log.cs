using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Events;

internal static partial class Log
{
    [LoggerMessage(
        1,
        LogLevel.Warning,
        "Events cannot be sent to cluster \"{Cluster}\"; the first that was not is {Reason} of {Kind} {Name}: {Problem}"
    )]
    public static partial void Failed(ILogger logger, string cluster, string reason, string kind, string name, string problem);

    [LoggerMessage(2, LogLevel.Debug, "Too many Events wait; {Reason} of {Name} is dropped.")]
    public static partial void Dropped(ILogger logger, string reason, string name);

    [LoggerMessage(3, LogLevel.Debug, "{Kind} {Name} had too many Events; another one is dropped.")]
    public static partial void Silenced(ILogger logger, string kind, string name);
}
