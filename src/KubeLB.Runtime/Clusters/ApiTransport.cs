using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using k8s;
using k8s.Autorest;
using KubeLB.Runtime.Connections;
using KubeLB.Runtime.LeaderElection;
using KubeLB.Runtime.Metrics;

namespace KubeLB.Runtime.Clusters;

/// <summary>
/// Sends requests for any kind through the HttpClient and the credentials of a KubernetesClient connection, whose own operations are typed
/// per kind, hide parts of the answer and buffer watches.
/// </summary>
internal sealed class ApiTransport(string cluster, Kubernetes kubernetes, RuntimeMetrics metrics, TimeProvider time, WriteFence fence)
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(60);

    public Uri BaseAddress => kubernetes is FollowingConnection following ? following.Server : kubernetes.BaseUri;

    public bool? IsReachable { get; private set; }

    /// <summary>Sends a request and returns a successful answer of which only the headers have been read.</summary>
    /// <exception cref="HttpOperationException">The answer is outside 2xx; its message holds what the API server said.</exception>
    /// <exception cref="HttpRequestException">There was no answer.</exception>
    /// <exception cref="LeaseExpiredException">It is a write, and this process may not write at present.</exception>
    public async Task<HttpResponseMessage> SendAsync(ApiRequest request, CancellationToken cancellationToken)
    {
        using var message = new HttpRequestMessage(request.Method, new Uri(kubernetes.BaseUri, request.Path))
        {
            // Falls back to 1.1 where TLS does not negotiate it. One connection then carries all watches and is kept alive by pings.
            Version = HttpVersion.Version20,
        };
        message.Headers.TryAddWithoutValidation("Accept", request.Accept);
        if (request.Body is not null)
        {
            message.Content = new StringContent(request.Body, Encoding.UTF8, request.ContentType);
        }

        // A write that is on its way when the lease ends is given up with it.
        var patience = request.Method == HttpMethod.Get ? AnswerLimit : Least(AnswerLimit, fence.Enter(request.Verb, request.Resource));
        using var limit = new CancellationTokenSource(patience, time);
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
            NoAnswer(request);
            throw new HttpRequestException($"No answer within {patience.TotalSeconds:0.#} seconds.", e);
        }
        catch (Exception)
        {
            NoAnswer(request);
            throw;
        }

        IsReachable = true;
        metrics.ClusterUp(cluster, response.StatusCode != HttpStatusCode.Unauthorized);
        metrics.Requested(cluster, request.Verb, request.Resource, ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture));
        return response.IsSuccessStatusCode
            ? response
            : throw await RefusalAsync(request, message, response, either.Token).ConfigureAwait(false);
    }

    /// <summary>Sends a request and reads the whole answer as JSON.</summary>
    public async Task<JsonDocument> SendForJsonAsync(ApiRequest request, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(request, cancellationToken).ConfigureAwait(false);
        using var limit = new CancellationTokenSource(AnswerLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            using var stream = await response.Content.ReadAsStreamAsync(either.Token).ConfigureAwait(false);
            return await JsonDocument.ParseAsync(stream, AnswerJson.Options, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException($"The answer was not complete within {AnswerLimit.TotalSeconds:0} seconds.", e);
        }
    }

    private static async Task<HttpOperationException> RefusalAsync(
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
                content = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                content = "";
            }

            return new HttpOperationException(
                $"{request.Verb} {request.Resource} was answered with {(int)response.StatusCode} {response.ReasonPhrase}: "
                    + $"{StatusMessage.Of(content)}"
            )
            {
                Request = new HttpRequestMessageWrapper(message, request.Body),
                Response = new HttpResponseMessageWrapper(response, content),
            };
        }
    }

    private static TimeSpan Least(TimeSpan one, TimeSpan other) => other == Timeout.InfiniteTimeSpan || one < other ? one : other;

    private void NoAnswer(ApiRequest request)
    {
        IsReachable = false;
        metrics.ClusterUp(cluster, false);
        metrics.Requested(cluster, request.Verb, request.Resource, "error");
    }
}
