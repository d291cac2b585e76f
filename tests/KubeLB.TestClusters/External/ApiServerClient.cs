using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace KubeLB.TestClusters.External;

/// <summary>Plain requests of the administrator, for the setup and clean-up of test clusters.</summary>
internal sealed class ApiServerClient : IDisposable
{
    private const int Attempts = 5;

    private readonly HttpClient _http;

    public ApiServerClient(ServerAccess access)
    {
        _http = new HttpClient(TrustingHandler.Create(access.AuthorityPem)) { BaseAddress = new Uri(access.Configuration().Host) };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", access.Token);
    }

    /// <summary>Sends a request; an answer that is not a success and not expected is an exception with the server's message.</summary>
    public async Task<(HttpStatusCode Status, JsonObject Body)> SendAsync(
        HttpMethod method,
        string path,
        JsonNode? body,
        string type,
        CancellationToken cancellationToken,
        params HttpStatusCode[] expected
    )
    {
        using var response = await AnswerAsync(method, path, body, type, cancellationToken).ConfigureAwait(false);
        var text = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        return response.IsSuccessStatusCode ? (response.StatusCode, JsonNode.Parse(text) as JsonObject ?? [])
            : expected.Contains(response.StatusCode) ? (response.StatusCode, [])
            : throw new HttpRequestException($"{method} {path} was answered {(int)response.StatusCode}: {text}");
    }

    public async Task<JsonObject> GetAsync(string path, CancellationToken cancellationToken) =>
        (await SendAsync(HttpMethod.Get, path, null, "", cancellationToken).ConfigureAwait(false)).Body;

    /// <summary>The status code of a GET; null without a response.</summary>
    public async Task<HttpStatusCode?> ProbeAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _http.GetAsync(new Uri(path, UriKind.Relative), cancellationToken).ConfigureAwait(false);
            return response.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> AnswerAsync(
        HttpMethod method,
        string path,
        JsonNode? body,
        string type,
        CancellationToken cancellationToken
    )
    {
        for (var attempt = 1; ; attempt++)
        {
            using var request = new HttpRequestMessage(method, path);
            if (body is not null)
            {
                request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, type);
            }

            try
            {
                return await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);
            }
            catch (HttpRequestException e) when (e.HttpRequestError is not HttpRequestError.SecureConnectionError && attempt < Attempts)
            {
                // The server closes connections when the set of served kinds changes; what is sent here may be sent twice.
            }
        }
    }
}
