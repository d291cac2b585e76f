using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Faults;
using KubeLB.EmbeddedCluster.Http.Handlers;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KubeLB.EmbeddedCluster.Http;

/// <summary>The request pipeline: log, inject faults, authenticate, authorize, handle. Every error is returned as a Status.</summary>
internal sealed class ApiServer(
    ResourceRegistry registry,
    ApiHandlers handlers,
    Authenticator authenticator,
    Authorizer authorizer,
    RequestLog log,
    FaultInjector faults,
    TimeProvider time,
    ILogger logger
) : IDisposable
{
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Ends all watches, so that the server can stop.</summary>
    public void Stop() => _stopping.Cancel();

    public void Dispose() => _stopping.Dispose();

    public async Task HandleAsync(HttpContext context)
    {
        var info = RequestInfo.Parse(context.Request);
        var entry = log.Begin(
            new RequestRecord(
                time.GetUtcNow(),
                info.Verb,
                info.Group,
                info.Resource,
                info.Subresource,
                info.Namespace,
                info.Name,
                context.Request.Headers.UserAgent.ToString(),
                "",
                context.Request.Method,
                info.Path,
                0
            )
            {
                Query = context.Request.QueryString.Value ?? "",
                ContentType = BodyReading.MediaType(context.Request),
            }
        );
        using var tracked = faults.Track(entry, context);
        try
        {
            if (await faults.ApplyAsync(entry.Record, context))
            {
                await HandleAsync(context, info, entry);
            }
        }
        catch (ApiException exception)
        {
            await FailAsync(context, exception.Status);
        }
        catch (BadHttpRequestException exception)
        {
            await FailAsync(
                context,
                exception.StatusCode == 413
                    ? ApiErrors.TooLarge(BodyReading.MaxBytes).Status
                    : ApiErrors.BadRequest(exception.Message).Status
            );
        }
        catch (Exception exception)
            when (context.RequestAborted.IsCancellationRequested && exception is OperationCanceledException or IOException)
        {
            // The client disconnected.
        }
#pragma warning disable CA1031 // An unexpected error in one request must not stop the server or close the connection.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.RequestFailed(logger, exception, context.Request.Method, info.Path);
            await FailAsync(context, ApiErrors.Internal(exception.Message).Status);
        }
        finally
        {
            entry.SetStatusCode(context.Response.StatusCode);
        }
    }

    private async Task HandleAsync(HttpContext context, RequestInfo info, RequestLog.Entry entry)
    {
        var user = authorizer.Impersonate(authenticator.Authenticate(context.Request.Headers.Authorization), context.Request.Headers);
        entry.Authenticated(user.Name);
        authorizer.Authorize(user, info, context.Request.Query["fieldSelector"]);
        if (!info.IsResource)
        {
            await handlers.NonResource.HandleAsync(context);
            return;
        }
        if (
            registry.Find(info.Group, info.Version, info.Resource) is not { } resource
            || (info.Namespace.Length > 0 && !resource.Namespaced && resource.Plural != "namespaces")
        )
        {
            await ResponseWriting.TextAsync(context, 404, NonResourceHandler.NotFound);
            return;
        }
        await DispatchAsync(new ApiRequest(context, info, resource, user), entry);
    }

    private Task DispatchAsync(ApiRequest request, RequestLog.Entry entry)
    {
        var resource = request.Resource;
        if (ReviewHandler.Handles(resource))
        {
            return handlers.Reviews.ReviewAsync(request);
        }
        if (request.Info.Subresource.Length > 0)
        {
            return DispatchSubresource(request, entry);
        }
        var needsName = request.Info.Verb is "update" or "patch";
        if (!resource.Verbs.Contains(request.Info.Verb) || (needsName && request.Info.Name.Length == 0))
        {
            throw ApiErrors.MethodNotAllowed();
        }
        switch (request.Info.Verb)
        {
            case "get":
                return handlers.Reads.GetAsync(request);
            case "list":
                return handlers.Reads.ListAsync(request);
            case "watch":
                entry.SetStatusCode(200);
                return handlers.Watches.WatchAsync(request, _stopping.Token);
            case "create":
                return handlers.Writes.CreateAsync(request);
            case "update":
                return handlers.Writes.UpdateAsync(request);
            case "patch":
                return handlers.Patches.PatchAsync(request);
            case "delete":
                return handlers.Deletes.DeleteAsync(request);
            default:
                return handlers.Deletes.DeleteCollectionAsync(request);
        }
    }

    private Task DispatchSubresource(ApiRequest request, RequestLog.Entry entry)
    {
        if (
            request.Resource.Subresource(request.Info.Subresource) is not { } subresource
            || request.Info is { Resource: "services", Subresource: "proxy" }
        )
        {
            return ResponseWriting.TextAsync(request.Context, 404, NonResourceHandler.NotFound);
        }
        if (!subresource.Verbs.Contains(request.Info.Verb))
        {
            throw ApiErrors.MethodNotAllowed();
        }
        if (subresource.Name == "log" && request.Flag("follow"))
        {
            entry.SetStatusCode(200);
        }
        return (subresource.Name, request.Info.Verb) switch
        {
            ("exec" or "attach" or "portforward", _) => handlers.PodConnections.HandleAsync(request),
            ("proxy", _) => handlers.PodProxies.HandleAsync(request, _stopping.Token),
            ("log", _) => handlers.PodLogs.HandleAsync(request, _stopping.Token),
            ("scale", _) => handlers.Scales.HandleAsync(request),
            ("token", _) => handlers.Reviews.TokenAsync(request),
            (_, "get") => handlers.Reads.GetAsync(request),
            (_, "update") => handlers.Writes.UpdateAsync(request),
            _ => handlers.Patches.PatchAsync(request),
        };
    }

    private static async Task FailAsync(HttpContext context, ApiStatus status)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }
        try
        {
            context.Response.Clear();
            await ResponseWriting.StatusAsync(context, status);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // The client disconnected before the error was written.
        }
    }
}

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
    PodConnectionHandler PodConnections,
    PodProxyHandler PodProxies,
    ReviewHandler Reviews
);
