using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Probes;
using KubeLB.Runtime.Tests.Fakes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace KubeLB.Runtime.Tests.Probes;

/// <summary><c>/metrics</c> over TLS, with tokens that the API server reviews.</summary>
[Trait("Threat", "metrics")]
public sealed class SecureMetricsTests : IDisposable
{
    private readonly FakeApiServer _server = new();
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly ConcurrentQueue<(string Resource, JsonNode Spec)> _reviews = [];
    private readonly string _folder = Directory.CreateTempSubdirectory("metrics").FullName;

    public SecureMetricsTests() => _server.Intercept = Review;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Request_without_token_is_rejected_without_a_review()
    {
        await using var host = await StartAsync();

        var (status, text, challenge) = await GetAsync(host, token: null);

        (status, challenge).Should().Be((HttpStatusCode.Unauthorized, "Bearer"));
        text.Should().Be("No bearer token: send header \"Authorization: Bearer TOKEN\" with a token of a ServiceAccount.\n");
        _reviews.Should().BeEmpty();
    }

    [Fact]
    public async Task Token_that_is_not_authenticated_is_rejected()
    {
        await using var host = await StartAsync();

        var (status, text, _) = await GetAsync(host, "invalid");

        status.Should().Be(HttpStatusCode.Unauthorized);
        text.Should().Be("The API server does not accept the bearer token: use a current token of a ServiceAccount of this cluster.\n");
    }

    [Fact]
    public async Task User_without_permission_is_rejected()
    {
        await using var host = await StartAsync();

        var (status, text, _) = await GetAsync(host, "other");

        status.Should().Be(HttpStatusCode.Forbidden);
        text.Should()
            .Be("User \"other\" cannot get path \"/metrics\": bind a ClusterRole with nonResourceURLs [/metrics] and verbs [get].\n");
    }

    [Fact]
    public async Task Permitted_user_gets_the_metrics_and_is_reviewed_once_a_minute()
    {
        await using var host = await StartAsync();

        (await GetAsync(host, "prometheus")).Status.Should().Be(HttpStatusCode.OK);
        (await GetAsync(host, "prometheus")).Text.Should().Contain("test_build_info").And.NotContain("prometheus");
        _reviews.Select(r => r.Resource).Should().Equal("tokenreviews", "subjectaccessreviews");
        _reviews
            .Last()
            .Spec.ToJsonString()
            .Should()
            .Be(
                """{"groups":["system:authenticated"],"nonResourceAttributes":{"path":"/metrics","verb":"get"}"""
                    + ""","uid":"1","user":"prometheus"}"""
            );

        _clock.Advance(MetricsAuthorization.PermittedTime);
        (await GetAsync(host, "prometheus")).Status.Should().Be(HttpStatusCode.OK);
        _reviews.Should().HaveCount(4);
    }

    [Fact]
    public async Task Denial_is_cached_for_a_short_time()
    {
        await using var host = await StartAsync();
        await GetAsync(host, "invalid");
        await GetAsync(host, "invalid");
        _reviews.Should().ContainSingle();

        _clock.Advance(MetricsAuthorization.DeniedTime);
        await GetAsync(host, "invalid");
        _reviews.Should().HaveCount(2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Threat", "metrics-reviews")]
    public async Task Many_tokens_do_not_displace_the_result_of_a_permitted_one(bool isPermittedFirst)
    {
        await using var host = await StartAsync();
        if (isPermittedFirst)
        {
            await GetAsync(host, "prometheus");
        }

        for (var i = 0; i < 150; i++)
        {
            await GetAsync(host, $"invalid-{i}");
        }

        await GetAsync(host, "prometheus");
        _reviews.Clear();
        (await GetAsync(host, "prometheus")).Status.Should().Be(HttpStatusCode.OK);
        _reviews.Should().BeEmpty();
    }

    [Fact]
    public async Task Failed_review_denies_the_request_and_is_logged_once()
    {
        await using var host = await StartAsync();
        _server.Intercept = r =>
            r.Path.Contains("tokenreviews", StringComparison.Ordinal)
                ? FakeApiServer.Error(403, "Forbidden", "cannot create resource \"tokenreviews\"")
                : null;

        for (var i = 0; i < 3; i++)
        {
            var (status, text, _) = await GetAsync(host, "prometheus");
            status.Should().Be(HttpStatusCode.ServiceUnavailable);
            text.Should().Be("The API server did not review the token; see the log of this process.\n");
        }

        host.Logs.Lines.Should()
            .ContainSingle(m => m.Text.Contains("/metrics"))
            .Which.Text.Should()
            .Be(
                "Requests for /metrics are denied, because cluster \"home\" did not review a token: cannot create resource "
                    + "\"tokenreviews\". Check the connection, and the permission to create tokenreviews and subjectaccessreviews."
            );

        _server.Intercept = Review;
        (await GetAsync(host, "prometheus")).Status.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Probes_are_plain_and_plain_requests_for_metrics_are_refused()
    {
        await using var host = await StartAsync();
        var endpoints = host.Host.Services.GetRequiredService<RuntimeEndpoints>();

        (await host.GetAsync(endpoints.Probe, "/healthz")).Status.Should().Be(HttpStatusCode.OK);
        var plain = () => host.GetAsync(endpoints.Metrics, "/metrics");
        await plain.Should().ThrowAsync<HttpRequestException>();
        (await SendAsync(host, HttpMethod.Post, "/metrics", "prometheus")).Status.Should().Be(HttpStatusCode.MethodNotAllowed);
        (await SendAsync(host, HttpMethod.Get, "/healthz", "prometheus")).Status.Should().Be(HttpStatusCode.NotFound);
        (await SendAsync(host, HttpMethod.Get, "/healthz", null)).Status.Should().Be(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Certificate_from_files_is_replaced_when_they_change()
    {
        Write("first");
        await using var host = await StartAsync(_folder);
        (await SubjectAsync(host)).Should().Be("CN=first");

        Write("second");
        _clock.Advance(TimeSpan.FromSeconds(10));
        (await SubjectAsync(host)).Should().Be("CN=second");

        await File.WriteAllTextAsync(Path.Combine(_folder, "tls.crt"), "no certificate");
        _clock.Advance(TimeSpan.FromSeconds(10));
        (await SubjectAsync(host)).Should().Be("CN=second");
        (await SubjectAsync(host)).Should().Be("CN=second");
        host.Logs.Lines.Should().ContainSingle(m => m.Text.StartsWith("Cannot read the certificate of /metrics from " + _folder));
    }

    [Fact]
    public async Task Self_signed_certificate_is_replaced_before_it_expires()
    {
        await using var host = await StartAsync();
        var first = await CertificateAsync(host);
        first.NotAfter.ToUniversalTime().Should().BeAfter(_clock.GetUtcNow().UtcDateTime.AddDays(364));

        _clock.Advance(TimeSpan.FromDays(300));
        (await CertificateAsync(host)).SerialNumber.Should().NotBe(first.SerialNumber);
    }

    [Fact]
    public async Task Missing_certificate_fails_the_start_with_a_sentence()
    {
        await using var host = Build(_folder);

        var start = () => host.Host.StartAsync();

        (await start.Should().ThrowAsync<IOException>())
            .Which.Message.Should()
            .StartWith($"Cannot read the certificate of /metrics from {_folder}: ")
            .And.EndWith(". Mount a Secret of type kubernetes.io/tls there, or remove --metrics-cert-path.");
    }

    [Fact]
    public void Common_address_of_probes_and_secure_metrics_is_invalid()
    {
        var options = new KubeRuntimeOptions
        {
            ProbeAddress = ":8081",
            MetricsAddress = ":8081",
            MetricsSecurity = new MetricsSecurity("home", ""),
        };

        new KubeRuntimeOptionsValidator()
            .Validate(null, options)
            .FailureMessage.Should()
            .Be("MetricsAddress and ProbeAddress are both :8081: probes use plain HTTP; choose another address for one.");
    }

    private Task<TestHost> StartAsync(string path = "") => StartAsync(Build(path));

    private static async Task<TestHost> StartAsync(TestHost host)
    {
        await host.Host.StartAsync();
        return host;
    }

    private TestHost Build(string path) =>
        TestHost.Build(
            _server,
            services: s => s.AddSingleton<TimeProvider>(_clock),
            options: o =>
            {
                o.Build = new BuildVersion("test", "v1", "abc", null);
                o.ProbeAddress = o.MetricsAddress = "127.0.0.1:0";
                o.MetricsSecurity = new MetricsSecurity("home", path);
            }
        );

    private HttpResponseMessage? Review(SeenRequest request)
    {
        if (!request.Path.EndsWith("reviews", StringComparison.Ordinal))
        {
            return null;
        }

        var review = JsonNode.Parse(request.Body)!;
        var spec = review["spec"]!;
        var resource = request.Path.Split('/')[^1];
        _reviews.Enqueue((resource, JsonNode.Parse(Sorted(spec))!));
        var token = (string?)spec["token"] ?? "";
        review["status"] =
            resource != "tokenreviews" ? new JsonObject { ["allowed"] = (string?)spec["user"] == "prometheus" }
            : token.StartsWith("invalid", StringComparison.Ordinal) ? new JsonObject { ["error"] = "invalid bearer token" }
            : new JsonObject
            {
                ["authenticated"] = true,
                ["user"] = new JsonObject
                {
                    ["username"] = token,
                    ["uid"] = "1",
                    ["groups"] = new JsonArray("system:authenticated"),
                },
            };
        return FakeApiServer.Json(201, review);
    }

    private static string Sorted(JsonNode spec) =>
        new JsonObject(
            spec.AsObject().OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone()))
        ).ToJsonString();

    private void Write(string name)
    {
        using var key = RSA.Create(2048);
        using var certificate = new CertificateRequest(
            $"CN={name}",
            key,
            HashAlgorithmName.SHA256,
            RSASignaturePadding.Pkcs1
        ).CreateSelfSigned(_clock.GetUtcNow().AddDays(-1), _clock.GetUtcNow().AddDays(1));
        File.WriteAllText(Path.Combine(_folder, "tls.crt"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder, "tls.key"), key.ExportPkcs8PrivateKeyPem());
    }

    private static Task<(HttpStatusCode Status, string Text, string Challenge)> GetAsync(TestHost host, string? token) =>
        SendAsync(host, HttpMethod.Get, "/metrics", token);

    private static async Task<(HttpStatusCode Status, string Text, string Challenge)> SendAsync(
        TestHost host,
        HttpMethod method,
        string path,
        string? token,
        Action<X509Certificate2>? seen = null
    )
    {
        using var handler = new SocketsHttpHandler
        {
            SslOptions =
            {
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
#pragma warning disable CA5359 // The certificate is self-signed.
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                {
                    seen?.Invoke(X509CertificateLoader.LoadCertificate(certificate!.Export(X509ContentType.Cert)));
                    return true;
                },
#pragma warning restore CA5359
            },
        };
        using var http = new HttpClient(handler);
        var port = host.Host.Services.GetRequiredService<RuntimeEndpoints>().Metrics!.Port;
        using var request = new HttpRequestMessage(method, new Uri($"https://127.0.0.1:{port}{path}"));
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        using var response = await http.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(), response.Headers.WwwAuthenticate.ToString());
    }

    private static async Task<X509Certificate2> CertificateAsync(TestHost host)
    {
        X509Certificate2? certificate = null;
        await SendAsync(host, HttpMethod.Get, "/metrics", null, seen => certificate = seen);
        return certificate!;
    }

    private static async Task<string> SubjectAsync(TestHost host) => (await CertificateAsync(host)).Subject;
}
