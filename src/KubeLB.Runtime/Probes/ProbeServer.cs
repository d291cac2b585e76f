using System.Net;
using KubeLB.Runtime.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace KubeLB.Runtime.Probes;

/// <summary>Serves <c>/healthz</c>, <c>/readyz</c>, debug pages and <c>/metrics</c>, on one or two listeners.</summary>
internal sealed class ProbeServer(
    KubeRuntimeOptions options,
    RuntimeEndpoints endpoints,
    ReadinessReport readiness,
    Supervisor supervisor,
    DebugPages pages,
    CollectorRegistry registry,
    RegisteredClusters clusters,
    TimeProvider time,
    ILoggerFactory loggers
) : IAsyncDisposable
{
    private const string ProbeFlag = "--health-probe-bind-address";
    private const string MetricsFlag = "--metrics-addr";
    private const string PlainText = "text/plain; charset=utf-8";

    private readonly List<WebApplication> _listeners = [];
    private MetricsAuthorization? _authorization;

    /// <exception cref="IOException">An address cannot be bound, or the certificate cannot be read.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var probe = ListenAddress.Parse(options.ProbeAddress, options.BindLoopbackOnly);
        var metrics = ListenAddress.Parse(options.MetricsAddress, options.BindLoopbackOnly);
        if (probe is not null && probe == metrics && probe.Port != 0)
        {
            endpoints.Probe = endpoints.Metrics = await ListenAsync(
                    probe,
                    "probes and metrics",
                    $"{ProbeFlag} and {MetricsFlag}",
                    true,
                    true,
                    cancellationToken
                )
                .ConfigureAwait(false);
            return;
        }

        endpoints.Probe = probe is null
            ? null
            : await ListenAsync(probe, "probes", ProbeFlag, true, false, cancellationToken).ConfigureAwait(false);
        endpoints.Metrics = metrics is null
            ? null
            : await ListenAsync(metrics, "metrics", MetricsFlag, false, true, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var listener in _listeners)
        {
            await listener.DisposeAsync().ConfigureAwait(false);
        }

        _listeners.Clear();
        _authorization?.Dispose();
    }

    private async Task<IPEndPoint> ListenAsync(
        ListenAddress address,
        string purpose,
        string flag,
        bool probes,
        bool metrics,
        CancellationToken cancellationToken
    )
    {
        var builder = KestrelListener.CreateBuilder(address, metrics && options.MetricsSecurity is { } security ? Secure(security) : null);
        builder.WebHost.UseKestrelHttpsConfiguration();
        var app = builder.Build();
        app.Run(context => RespondAsync(context, probes, metrics));
        _listeners.Add(app);
        return await KestrelListener.StartAsync(app, address, purpose, flag, cancellationToken).ConfigureAwait(false);
    }

    private Action<ListenOptions> Secure(MetricsSecurity security)
    {
        var logger = loggers.CreateLogger("KubeLB.Runtime.Probes");
        var certificate = new MetricsCertificate(security.CertificatePath, time, logger);
        certificate.Load();
        _authorization = new MetricsAuthorization(clusters.Find(security.Cluster)!, time, logger);
        return listen => listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(certificate.Current) });
    }

    private async Task RespondAsync(HttpContext context, bool probes, bool metrics)
    {
        if (metrics && _authorization is not null && await DenyAsync(context, _authorization).ConfigureAwait(false))
        {
            return;
        }

        var (status, type, text) = context.Request.Path.Value switch
        {
            "/healthz" when probes => Healthz(),
            "/readyz" when probes => Readyz(context.Request.Query.ContainsKey("verbose")),
            "/metrics" when metrics => (200, "text/plain; version=0.0.4; charset=utf-8", null),
            { } path when probes && Page(context, path) is { } page => page,
            _ => (404, PlainText, "not found\n"),
        };
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        if (text is null)
        {
            await registry.CollectAndExportAsTextAsync(context.Response.Body, context.RequestAborted).ConfigureAwait(false);
        }
        else
        {
            await context.Response.WriteAsync(text, context.RequestAborted).ConfigureAwait(false);
        }
    }

    /// <returns>Whether the request was denied.</returns>
    private static async Task<bool> DenyAsync(HttpContext context, MetricsAuthorization authorization)
    {
        var denial = HttpMethods.IsGet(context.Request.Method)
            ? await authorization.ReviewAsync(context.Request.Headers.Authorization, context.RequestAborted).ConfigureAwait(false)
            : new MetricsAuthorization.Denial(405, "Use GET.");
        if (denial is null)
        {
            return false;
        }

        context.Response.StatusCode = denial.Status;
        context.Response.ContentType = PlainText;
        if (denial.Status == StatusCodes.Status401Unauthorized)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
        }

        await context.Response.WriteAsync(denial.Text + "\n", context.RequestAborted).ConfigureAwait(false);
        return true;
    }

    private (int Status, string Type, string? Text)? Page(HttpContext context, string path) =>
        pages.Respond(
            path,
            context.Request.Method,
            context.Connection.RemoteIpAddress,
            () => context.Request.Query.ToDictionary(q => q.Key, q => q.Value.LastOrDefault() ?? "", StringComparer.Ordinal)
        );

    private (int Status, string Type, string? Text) Healthz() =>
        supervisor.Problems is { Count: > 0 } problems ? (503, PlainText, string.Join('\n', problems) + "\n") : (200, PlainText, "ok\n");

    private (int Status, string Type, string? Text) Readyz(bool verbose)
    {
        var (ready, text) = readiness.Create(verbose);
        return (ready ? 200 : 503, PlainText, text);
    }
}
