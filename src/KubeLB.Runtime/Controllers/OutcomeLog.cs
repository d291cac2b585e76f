using System.Collections.Concurrent;
using System.Net;
using k8s.Autorest;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Storing;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Controllers;

/// <summary>Logs how reconciles end: once when a key begins to fail in some way, and not again at each further attempt.</summary>
internal sealed class OutcomeLog(ILogger logger)
{
    private readonly ConcurrentDictionary<ResourceKey, string> _lastReasons = new();

    public void Succeeded(ResourceKey key) => _lastReasons.TryRemove(key, out _);

    public void Retrying(ResourceKey key, string reason)
    {
        if (IsNew(key, reason))
        {
            Log.Retrying(logger, key, reason);
        }
    }

    public void Terminal(ResourceKey key, string reason)
    {
        if (IsNew(key, reason))
        {
            Log.Terminal(logger, key, reason);
        }
    }

    /// <returns>The result for metrics: <c>conflict</c> or <c>fenced</c> for what is ordinary, <c>error</c> otherwise.</returns>
    public string Failed(ResourceKey key, Exception failure)
    {
        if (failure is StaleCacheException or HttpOperationException { Response.StatusCode: HttpStatusCode.Conflict })
        {
            Log.Conflict(logger, key, failure.Message);
            return "conflict";
        }

        if (failure is LeaseExpiredException)
        {
            if (IsNew(key, failure.GetType().Name))
            {
                Log.Fenced(logger, key, failure.Message);
            }

            return "fenced";
        }

        if (!IsNew(key, $"{failure.GetType().Name}: {failure.Message}"))
        {
            Log.FailedAgain(logger, key, failure.Message);
        }
        else if (failure is HttpOperationException or HttpRequestException)
        {
            // The API server's answer explains itself; a stack trace of the client adds nothing.
            Log.ApiFailed(logger, key, failure.Message);
        }
        else
        {
            Log.Failed(logger, failure, key);
        }

        return "error";
    }

    private bool IsNew(ResourceKey key, string reason)
    {
        var isNew = true;
        _lastReasons.AddOrUpdate(
            key,
            reason,
            (_, last) =>
            {
                isNew = last != reason;
                return reason;
            }
        );
        return isNew;
    }
}
