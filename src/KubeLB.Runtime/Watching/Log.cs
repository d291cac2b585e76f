using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Watching;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "{Problem} Retrying. (cluster {Cluster}, resource {Resource})")]
    public static partial void WatchFailing(ILogger logger, string problem, string cluster, string resource);

    [LoggerMessage(2, LogLevel.Information, "Watching {Resource} in cluster \"{Cluster}\" works again.")]
    public static partial void WatchRecovered(ILogger logger, string resource, string cluster);

    [LoggerMessage(15, LogLevel.Information, "Cluster \"{Cluster}\" works again.")]
    public static partial void ClusterRecovered(ILogger logger, string cluster);

    [LoggerMessage(3, LogLevel.Information, "Watching {Resource} in cluster \"{Cluster}\": {Count} objects.")]
    public static partial void Synced(ILogger logger, string resource, string cluster, int count);

    [LoggerMessage(
        4,
        LogLevel.Debug,
        "The watch of {Resource} in cluster \"{Cluster}\" broke off and goes on from {ResourceVersion}: {Problem}"
    )]
    public static partial void WatchDropped(ILogger logger, string resource, string cluster, string resourceVersion, string problem);

    [LoggerMessage(
        5,
        LogLevel.Debug,
        "Version {ResourceVersion} of {Resource} in cluster \"{Cluster}\" is no longer kept (410); listing again."
    )]
    public static partial void Expired(ILogger logger, string resource, string cluster, string resourceVersion);

    [LoggerMessage(6, LogLevel.Warning, "{Resource} {Object} in cluster \"{Cluster}\" cannot be read and is left out: {Problem}")]
    public static partial void Undecodable(ILogger logger, string resource, ResourceKey @object, string cluster, string problem);

    [LoggerMessage(7, LogLevel.Error, "Index \"{Index}\" of {Resource} failed for {Object}, which is not found by it.")]
    public static partial void IndexFailed(ILogger logger, Exception exception, string index, string resource, ResourceKey @object);

    [LoggerMessage(
        8,
        LogLevel.Error,
        "A handler of changes of {Resource} in cluster \"{Cluster}\" failed; the object's key is queued, and the handler gets all "
            + "objects again."
    )]
    public static partial void HandlerFailed(ILogger logger, Exception exception, string resource, string cluster);

    [LoggerMessage(
        12,
        LogLevel.Information,
        "Cluster \"{Cluster}\" does not serve {Resource}; features that need it wait for its CustomResourceDefinition."
    )]
    public static partial void Absent(ILogger logger, string resource, string cluster);

    [LoggerMessage(
        13,
        LogLevel.Warning,
        "Versions of {Resource} in cluster \"{Cluster}\" went back from {Seen} to {Present}: its storage was restored. The cache is "
            + "replaced by a list."
    )]
    public static partial void WentBack(ILogger logger, string resource, string cluster, string seen, string present);

    [LoggerMessage(
        14,
        LogLevel.Information,
        "A write to {Resource} {Object} in cluster \"{Cluster}\" contradicted the cache, and no watch event explained it; listing again."
    )]
    public static partial void Contradicted(ILogger logger, string resource, ResourceKey @object, string cluster);

    [LoggerMessage(11, LogLevel.Information, "Cluster \"{Cluster}\" serves {Resource} now.")]
    public static partial void NoLongerAbsent(ILogger logger, string resource, string cluster);
}
