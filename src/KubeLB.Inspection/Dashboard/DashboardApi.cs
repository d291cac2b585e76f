using System.Globalization;
using System.Text.Json;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Inspection.Access;
using Microsoft.AspNetCore.Http;

namespace KubeLB.Inspection.Dashboard;

/// <summary>The list of the page.</summary>
internal sealed record Overview(long Version, IReadOnlyList<ObjectRow> Rows, IReadOnlyList<string> Problems);

/// <summary>A request was rejected.</summary>
internal sealed record ApiProblem(string Problem);

/// <summary>Exchanges a code for the key.</summary>
internal sealed record SessionBody(string? Code);

/// <summary>The key.</summary>
internal sealed record Session(string Key);

/// <summary>Responds to the requests of the page.</summary>
internal sealed class DashboardApi(
    RowTable rows,
    DashboardFeed feed,
    TraceViews traces,
    ObjectEvents events,
    ProbeRequests probes,
    RequestGuard guard
)
{
    private static readonly string[] Kinds = [Gateway.KindName, HttpRoute.KindName, GrpcRoute.KindName, Route.KindName, Tenant.KindName];

    private static readonly Dictionary<string, (string Type, byte[] Content)> Files = new(StringComparer.Ordinal)
    {
        ["/"] = ("text/html; charset=utf-8", Read("index.html")),
        ["/page.css"] = ("text/css; charset=utf-8", Read("page.css")),
        ["/page.js"] = ("text/javascript; charset=utf-8", Read("page.js")),
    };

    /// <summary>Responds to a request.</summary>
    public Task RespondAsync(HttpContext context)
    {
        var request = context.Request;
        var isPost = HttpMethods.IsPost(request.Method);
        return (request.Path.Value, isPost) switch
        {
            ("/api/overview", false) => WriteAsync(context, OverviewOf(rows.All())),
            ("/api/trace", false) => SelectedAsync(context, selection => WriteAsync(context, traces.View(selection))),
            ("/api/events", false) => SelectedAsync(
                context,
                async selection =>
                    await WriteAsync(context, await events.ReadAsync(selection, context.RequestAborted).ConfigureAwait(false))
                        .ConfigureAwait(false)
            ),
            ("/api/stream", false) => StreamAsync(context),
            ("/api/probe", true) => ProbeAsync(context),
            (RequestGuard.SessionPath, true) => SessionAsync(context),
            ({ } path, false) when Files.TryGetValue(path, out var file) => FileAsync(context, file.Type, file.Content),
            _ => WriteAsync(context, new ApiProblem("Not found."), StatusCodes.Status404NotFound),
        };
    }

    private Overview OverviewOf(RowChanges all) => new(all.Version, all.Changed, feed.Problems);

    private static async Task FileAsync(HttpContext context, string type, byte[] content)
    {
        context.Response.ContentType = type;
        context.Response.ContentLength = content.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(content, context.RequestAborted).ConfigureAwait(false);
        }
    }

    private async Task StreamAsync(HttpContext context)
    {
        var since = long.TryParse(context.Request.Query["since"], NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? version
            : 0;
        var tenants = context
            .Request.Query["traffic"]
            .ToString()
            .Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Distinct(StringComparer.Ordinal)
            .Take(DashboardTraffic.MaxTenantsOfPage)
            .ToList();
        if (feed.Read(since, Selection(context.Request.Query), tenants) is not { } reader)
        {
            await WriteAsync(
                    context,
                    new ApiProblem($"{DashboardFeed.MaxReaders} pages are open. Close one."),
                    StatusCodes.Status503ServiceUnavailable
                )
                .ConfigureAwait(false);
            return;
        }

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, reader.Closed);
        try
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.StartAsync(ended.Token).ConfigureAwait(false);
            await foreach (var text in reader.Events.ReadAllAsync(ended.Token).ConfigureAwait(false))
            {
                await context.Response.WriteAsync(text, ended.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The page was closed, or does not read.
            context.Abort();
        }
        finally
        {
            feed.Remove(reader);
            reader.Dispose();
        }
    }

    private async Task SessionAsync(HttpContext context)
    {
        if (await ReadAsync<SessionBody>(context).ConfigureAwait(false) is { Code: { } code } && guard.Redeem(code) is { } key)
        {
            await WriteAsync(context, new Session(key)).ConfigureAwait(false);
        }
        else
        {
            await WriteAsync(context, new ApiProblem("The code was used before, or is too old."), StatusCodes.Status403Forbidden)
                .ConfigureAwait(false);
        }
    }

    private async Task ProbeAsync(HttpContext context)
    {
        var body = await ReadAsync<ProbeBody>(context).ConfigureAwait(false);
        if (
            body
                is not {
                    Selection: { Namespace: not null, Name.Length: > 0 } selection,
                    Address: not null,
                    Method: not null,
                    Headers: not null
                }
            || !Kinds.Contains(selection.Kind)
            || body.Headers.Any(h => h is not { Name: not null, Value: not null })
        )
        {
            await WriteAsync(context, new ApiProblem("Invalid JSON."), StatusCodes.Status400BadRequest).ConfigureAwait(false);
            return;
        }

        try
        {
            await WriteAsync(context, await probes.SendAsync(body, context.RequestAborted).ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (InspectionException e)
        {
            await WriteAsync(context, new ApiProblem(e.Message), StatusCodes.Status400BadRequest).ConfigureAwait(false);
        }
    }

    private static async Task<T?> ReadAsync<T>(HttpContext context)
        where T : class
    {
        try
        {
            return await JsonSerializer
                .DeserializeAsync<T>(context.Request.Body, DashboardFeed.Json, context.RequestAborted)
                .ConfigureAwait(false);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static Task SelectedAsync(HttpContext context, Func<ObjectSelection, Task> respond) =>
        Selection(context.Request.Query) is { } selection
            ? respond(selection)
            : WriteAsync(
                context,
                new ApiProblem($"Give kind (one of {string.Join(", ", Kinds)}), namespace, name and tenant."),
                StatusCodes.Status400BadRequest
            );

    private static ObjectSelection? Selection(IQueryCollection query) =>
        query["name"].ToString() is { Length: > 0 } name && Kinds.Contains(query["kind"].ToString())
            ? new ObjectSelection(
                query["kind"].ToString(),
                query["namespace"].ToString(),
                name,
                query["tenant"].ToString() is { Length: > 0 } tenant ? tenant : null
            )
            : null;

    private static Task WriteAsync<T>(HttpContext context, T value, int status = StatusCodes.Status200OK)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(value, DashboardFeed.Json, context.RequestAborted);
    }

    private static byte[] Read(string name)
    {
        using var stream = typeof(DashboardApi).Assembly.GetManifestResourceStream("Dashboard/" + name)!;
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return memory.ToArray();
    }
}
