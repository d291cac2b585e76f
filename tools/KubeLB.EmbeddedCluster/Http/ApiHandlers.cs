using KubeLB.EmbeddedCluster.Http.Handlers;

namespace KubeLB.EmbeddedCluster.Http;

/// <summary>The request handlers.</summary>
internal sealed record ApiHandlers(
    NonResourceHandler NonResource,
    ReadHandler Reads,
    WatchHandler Watches,
    WriteHandler Writes,
    PatchHandler Patches,
    DeleteHandler Deletes,
    ScaleHandler Scales,
    PodLogHandler PodLogs,
    ReviewHandler Reviews
);
