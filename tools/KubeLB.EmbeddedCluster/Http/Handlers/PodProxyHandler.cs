using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Forwarder;

namespace KubeLB.EmbeddedCluster.Http.Handlers;

/// <summary>
/// Handles the subresource proxy of pods: forwards a request to a port of the pod, as kube-apiserver does
/// (<c>pkg/registry/core/pod/strategy.go</c>, <c>apimachinery/pkg/util/proxy/upgradeaware.go</c>). Links in HTML are not rewritten.
/// </summary>
internal sealed class PodProxyHandler(ClusterStore store, PodEndPointSource? endPoints) : IDisposable
{
    // api, v1, namespaces, NAMESPACE, pods, NAME, proxy
    private const int SegmentsBeforePath = 7;

    private static readonly TimeSpan DialTimeout = TimeSpan.FromSeconds(30);

    private static readonly ForwarderRequestConfig Config = new()
    {
        Version = HttpVersion.Version11,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        ActivityTimeout = TimeSpan.FromHours(1),
    };

    // Most clusters never get such a request.
    private readonly Lazy<Forwarding> _forwarding = new(() => new Forwarding());

    public void Dispose()
    {
        if (_forwarding.IsValueCreated)
        {
            _forwarding.Value.Dispose();
        }
    }

    /// <exception cref="ApiException">404 for a missing pod, 400 for an invalid request, 503 if the pod cannot be reached.</exception>
    public async Task HandleAsync(ApiRequest request, CancellationToken stopping)
    {
        var context = request.Context;
        var (scheme, name, port) = Split(request.Info.Name);
        var pod =
            store.Table(request.Resource.StorageGroup, request.Resource.Plural).Find(request.Namespace, name)
            ?? throw ApiErrors.NotFound(request.Resource.Group, request.Resource.Plural, name);
        var tree = pod.ToTree();
        port = port.Length > 0 ? port : FirstPort(tree);
        if (!IPAddress.TryParse(tree.Object("status").Text("podIP"), out var address))
        {
            throw ApiErrors.BadRequest("address not allowed");
        }
        // As Go's net.IP.
        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        if (endPoints is null && !IsGlobalUnicast(address))
        {
            throw ApiErrors.BadRequest("address not allowed");
        }
        var path = PathOf(context);
        if (path.Length == 0 && (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)))
        {
            context.Response.StatusCode = 301;
            context.Response.Headers.Location = context.Request.Path.ToUriComponent() + "/" + context.Request.QueryString;
            return;
        }
        var shown = new IPEndPoint(address, Number(port, scheme));
        var target = shown;
        try
        {
            target = endPoints?.Invoke(new PodEndPointRequest(request.Namespace, pod.Name, pod.Uid, shown)) ?? shown;
        }
        catch (PodUnreachableException unreachable)
        {
            throw ApiErrors.Unreachable(unreachable.Message);
        }
        var url = $"{scheme}://{target}";
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        var forwarding = _forwarding.Value;
        var transformer = new Transformer(
            new Uri(
                $"{url}{path}{context.Request.QueryString}",
                new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }
            )
        );
        var error = await forwarding.Forwarder.SendAsync(context, url, forwarding.Client, Config, transformer, cancel.Token);
        if (error != ForwarderError.None && !context.Response.HasStarted && !cancel.IsCancellationRequested)
        {
            throw ApiErrors.Unreachable(Explain(context.Features.Get<IForwarderErrorFeature>()?.Exception, shown));
        }
    }

    // NAME, NAME:PORT or SCHEME:NAME:PORT. https://pkg.go.dev/k8s.io/apimachinery/pkg/util/net#SplitSchemeNamePort
    private static (string Scheme, string Name, string Port) Split(string id) =>
        id.Split(':') switch
        {
            [{ Length: > 0 } name] => ("http", name, ""),
            [{ Length: > 0 } name, var port] => ("http", name, port),
            ["" or "http", { Length: > 0 } name, var port] => ("http", name, port),
            ["https", { Length: > 0 } name, var port] => ("https", name, port),
            _ => throw ApiErrors.BadRequest($"invalid pod request {FieldError.Quote(id)}"),
        };

    private static string FirstPort(JsonObject pod) =>
        pod.Object("spec")
            .Array("containers")
            .Objects()
            .Select(container => container.Array("ports").Objects().FirstOrDefault())
            .FirstOrDefault(port => port is not null)
            ?["containerPort"]?.ToString()
        ?? "";

    private static int Number(string port, string scheme) =>
        port.Length == 0 ? (scheme == "https" ? 443 : 80)
        : ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number
        : throw ApiErrors.Unreachable($"dial tcp: lookup tcp/{port}: unknown port");

    // Go's IP.IsGlobalUnicast.
    private static bool IsGlobalUnicast(IPAddress address) =>
        !IPAddress.IsLoopback(address)
        && !address.IsIPv6Multicast
        && !address.IsIPv6LinkLocal
        && !address.Equals(IPAddress.Any)
        && !address.Equals(IPAddress.IPv6Any)
        && !(address.GetAddressBytes() is [>= 224 and < 240, _, _, _] or [255, 255, 255, 255] or [169, 254, _, _]);

    // The undecoded path: an encoded slash is part of a segment.
    private static string PathOf(HttpContext context)
    {
        var raw = context.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "";
        var end = raw.IndexOf('?', StringComparison.Ordinal);
        raw = end < 0 ? raw : raw[..end];
        var at = 0;
        for (var segment = 0; segment < SegmentsBeforePath; segment++)
        {
            while (at < raw.Length && raw[at] == '/')
            {
                at++;
            }
            while (at < raw.Length && raw[at] != '/')
            {
                at++;
            }
        }
        return raw[at..];
    }

    private static string Explain(Exception? error, IPEndPoint target) =>
        error?.GetBaseException() switch
        {
            SocketException { SocketErrorCode: SocketError.ConnectionRefused } => $"dial tcp {target}: connect: connection refused",
            SocketException { SocketErrorCode: SocketError.HostUnreachable } => $"dial tcp {target}: connect: no route to host",
            SocketException { SocketErrorCode: SocketError.NetworkUnreachable } => $"dial tcp {target}: connect: network is unreachable",
            SocketException { SocketErrorCode: SocketError.TimedOut } or TimeoutException => $"dial tcp {target}: i/o timeout",
            HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded } => "EOF",
            { } other => other.Message,
            null => "unexpected EOF",
        };

    private sealed class Forwarding : IDisposable
    {
        private readonly ServiceProvider _services = new ServiceCollection().AddLogging().AddHttpForwarder().BuildServiceProvider();

        public IHttpForwarder Forwarder => _services.GetRequiredService<IHttpForwarder>();

        public HttpMessageInvoker Client { get; } =
            new(
                new SocketsHttpHandler
                {
                    UseProxy = false,
                    UseCookies = false,
                    AllowAutoRedirect = false,
                    AutomaticDecompression = DecompressionMethods.None,
                    ActivityHeadersPropagator = null,
                    ConnectTimeout = DialTimeout,
                    SslOptions = new SslClientAuthenticationOptions
                    {
                        // As kube-apiserver: certificates of pods are not verified.
#pragma warning disable CA5359
                        RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
                    },
                }
            );

        public void Dispose()
        {
            Client.Dispose();
            _services.Dispose();
        }
    }

    // The pod must not receive the credentials of the user.
    private sealed class Transformer(Uri url) : HttpTransformer
    {
        public override async ValueTask TransformRequestAsync(
            HttpContext httpContext,
            HttpRequestMessage proxyRequest,
            string destinationPrefix,
            CancellationToken cancellationToken
        )
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            var incoming = httpContext.Request;
            var headers = proxyRequest.Headers;
            proxyRequest.RequestUri = url;
            headers.Host = incoming.Host.Value;
            headers.Remove("Authorization");
            foreach (var name in incoming.Headers.Keys.Where(name => name.StartsWith("Impersonate-", StringComparison.OrdinalIgnoreCase)))
            {
                headers.Remove(name);
            }
            Set("X-Forwarded-Uri", incoming.Path.ToUriComponent());
            Set("X-Forwarded-Host", incoming.Host.Value ?? "");
            Set("X-Forwarded-Proto", incoming.Scheme);

            void Set(string name, string value)
            {
                headers.Remove(name);
                headers.TryAddWithoutValidation(name, value);
            }
        }
    }
}
