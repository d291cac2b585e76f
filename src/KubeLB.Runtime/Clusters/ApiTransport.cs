using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using k8s;
using k8s.Autorest;
using KubeLB.Runtime.Connections;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Metrics;
using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Clusters;

/// <summary>
/// Sends requests for any kind through the HttpClient and the credentials of a KubernetesClient connection. The operations of
/// KubernetesClient are not used, because they are typed per kind, hide parts of the response and buffer watches.
/// </summary>
internal sealed class ApiTransport(string cluster, Kubernetes kubernetes, RuntimeMetrics metrics, TimeProvider time, WriteFence fence)
{
    // The error may be that of a pod behind pods/proxy.
    private const long MaxErrorBytes = 1024 * 1024;

    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(60);

    /// <summary>
    /// The nesting limit of the API server (10,000). With the default, one deeply nested object would make the entire list unreadable. An
    /// object that is nested too deeply for its type is skipped individually.
    /// </summary>
    public static readonly JsonDocumentOptions JsonOptions = new() { MaxDepth = 10_000 };

    private string? _acceptedToken;

    public Uri BaseAddress => kubernetes is ReloadingConnection reloading ? reloading.Server : kubernetes.BaseUri;

    /// <summary>Explains a request that the API server forbids, from its message; null for the default text.</summary>
    public Func<string, string?>? ExplainForbidden { get; init; }

    public bool? IsReachable { get; private set; }

    /// <summary>The bearer token of the last request that the API server did not answer with 401; null if it had none.</summary>
    public string? AcceptedToken => Volatile.Read(ref _acceptedToken);

    /// <summary>Raised after <see cref="AcceptedToken"/> has changed, by the request that changed it: a handler must be fast.</summary>
    public event Action? AcceptedTokenChanged;

    /// <summary>Sends a request and returns a successful response of which only the headers have been read.</summary>
    /// <exception cref="HttpOperationException">The status code is outside 2xx; the message contains that of the API server.</exception>
    /// <exception cref="HttpRequestException">No response was received.</exception>
    /// <exception cref="LeaseExpiredException">The request is a write and this process is not the leader.</exception>
    public async Task<HttpResponseMessage> SendAsync(ApiRequest request, CancellationToken cancellationToken)
    {
        using var message = new HttpRequestMessage(request.Method, new Uri(kubernetes.BaseUri, request.Path))
        {
            // Falls back to HTTP/1.1 if TLS does not negotiate HTTP/2. With HTTP/2 all watches share one connection, kept alive by pings.
            Version = HttpVersion.Version20,
        };
        message.Headers.TryAddWithoutValidation("Accept", request.Accept);
        if (request.Body is not null)
        {
            message.Content = new StringContent(request.Body, Encoding.UTF8, request.ContentType);
        }

        // A write in progress is cancelled at the renew deadline of the lease.
        var timeout =
            request.Method == HttpMethod.Get ? ResponseTimeout : Min(ResponseTimeout, fence.Enter(request.Verb, request.Resource));
        using var limit = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        HttpResponseMessage response;
        try
        {
            if (kubernetes.Credentials is { } credentials)
            {
                await credentials.ProcessHttpRequestAsync(message, either.Token).ConfigureAwait(false);
            }

            response = await kubernetes
                .HttpClient.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, either.Token)
                .ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException e) when (limit.IsCancellationRequested)
        {
            RecordNoResponse(request);
            var limited = timeout < ResponseTimeout ? ", the remaining time of the lease" : "";
            throw new HttpRequestException($"No response within {timeout.TotalSeconds:0.#} seconds{limited}.", e);
        }
        catch (Exception)
        {
            RecordNoResponse(request);
            throw;
        }

        IsReachable = true;
        var isAuthenticated = response.StatusCode != HttpStatusCode.Unauthorized;
        if (isAuthenticated)
        {
            // A reloading connection sends another message, with its current credentials.
            var token = (response.RequestMessage ?? message).Headers.Authorization?.Parameter;
            if (Interlocked.Exchange(ref _acceptedToken, token) != token)
            {
                AcceptedTokenChanged?.Invoke();
            }
        }

        metrics.ClusterUp(cluster, isAuthenticated);
        metrics.Requested(cluster, request.Verb, request.Resource, ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture));
        return response.IsSuccessStatusCode
            ? response
            : throw await ErrorAsync(request, message, response, either.Token).ConfigureAwait(false);
    }

    /// <summary>Sends a request and reads the complete response as JSON.</summary>
    public async Task<JsonDocument> SendForJsonAsync(ApiRequest request, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(request, cancellationToken).ConfigureAwait(false);
        using var limit = new CancellationTokenSource(ResponseTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            using var stream = await response.Content.ReadAsStreamAsync(either.Token).ConfigureAwait(false);
            return await JsonDocument.ParseAsync(stream, JsonOptions, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException($"The response was not complete within {ResponseTimeout.TotalSeconds:0} seconds.", e);
        }
    }

    private static async Task<HttpOperationException> ErrorAsync(
        ApiRequest request,
        HttpRequestMessage message,
        HttpResponseMessage response,
        CancellationToken cancellationToken
    )
    {
        using (response)
        {
            string content;
            try
            {
                await response.Content.LoadIntoBufferAsync(MaxErrorBytes, cancellationToken).ConfigureAwait(false);
                content = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                content = "";
            }

            return new HttpOperationException(
                $"{request.Verb} {request.Resource} failed with {(int)response.StatusCode} {response.ReasonPhrase}: "
                    + $"{ApiStatus.MessageOf(content)}"
            )
            {
                Request = new HttpRequestMessageWrapper(message, request.Body),
                Response = new HttpResponseMessageWrapper(response, content),
            };
        }
    }

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => other == Timeout.InfiniteTimeSpan || one < other ? one : other;

    private void RecordNoResponse(ApiRequest request)
    {
        IsReachable = false;
        metrics.ClusterUp(cluster, false);
        metrics.Requested(cluster, request.Verb, request.Resource, "error");
    }
}

/// <summary>A request to an API server, independent of a connection.</summary>
/// <param name="Method">HTTP method.</param>
/// <param name="Path">Path and query, relative to the API server's base address.</param>
/// <param name="Verb">The RBAC verb, for metrics.</param>
/// <param name="Resource">The RBAC resource (with subresource), for metrics.</param>
internal sealed record ApiRequest(HttpMethod Method, string Path, string Verb, string Resource)
{
    public string? Body { get; init; }

    public string ContentType { get; init; } = "application/json";

    public string Accept { get; init; } = "application/json";

    public static string PathOf(ResourceKind kind, string? ns, string? name = null, string? subresource = null)
    {
        var path = new StringBuilder(kind.Group.Length == 0 ? "api" : "apis/" + Uri.EscapeDataString(kind.Group));
        path.Append('/').Append(Uri.EscapeDataString(kind.Version));
        if (!string.IsNullOrEmpty(ns))
        {
            path.Append("/namespaces/").Append(Uri.EscapeDataString(ns));
        }

        path.Append('/').Append(Uri.EscapeDataString(kind.Plural));
        if (name is not null)
        {
            path.Append('/').Append(Uri.EscapeDataString(name));
        }

        if (subresource is not null)
        {
            path.Append('/').Append(subresource);
        }

        return path.ToString();
    }

    public static string PathOf(ResourceKind kind, ResourceKey key, string? subresource = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(key.Name, nameof(key));
        return PathOf(kind, key.Namespace, key.Name, subresource);
    }

    public static string Query(params (string Name, string? Value)[] parameters)
    {
        var set = parameters.Where(p => !string.IsNullOrEmpty(p.Value)).Select(p => $"{p.Name}={Uri.EscapeDataString(p.Value!)}").ToList();
        return set.Count == 0 ? "" : "?" + string.Join('&', set);
    }
}
