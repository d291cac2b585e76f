using System.Net;
using System.Security.Cryptography.X509Certificates;
using k8s;
using KubeLB.EmbeddedCluster.Faults;
using KubeLB.EmbeddedCluster.Hosting;
using KubeLB.EmbeddedCluster.Json;
using Microsoft.AspNetCore.Builder;

namespace KubeLB.EmbeddedCluster;

/// <summary>
/// A Kubernetes API server in memory, on a loopback port, for tests and local trials. <c>kubectl</c> and KubernetesClient work with it as
/// with a real one. It has no persistent storage, runs no pods, and does not support admission webhooks.
/// </summary>
public sealed class EmbeddedCluster : IAsyncDisposable
{
    private readonly EmbeddedClusterOptions _options;
    private readonly ClusterServices _services;
    private readonly WebApplication _host;
    private int _disposed;

    private EmbeddedCluster(EmbeddedClusterOptions options, ClusterServices services, WebApplication host, Uri url)
    {
        _options = options;
        _services = services;
        _host = host;
        Url = url;
        KubeconfigYaml = KubeconfigFor(services.AdminToken, "kubernetes-admin");
    }

    /// <summary>URL of the API server.</summary>
    public Uri Url { get; }

    /// <summary>Kubeconfig of the administrator, as YAML.</summary>
    public string KubeconfigYaml { get; }

    /// <summary>The requests that the server received.</summary>
    public RequestLog Requests => _services.Requests;

    /// <summary>Injects faults.</summary>
    public FaultInjector Faults => _services.Faults;

    /// <summary>The certificate authority of the server's certificate in PEM; null without TLS.</summary>
    public string? CertificateAuthorityPem => _services.Certificates?.AuthorityPem;

    /// <summary>Starts a cluster.</summary>
    /// <param name="options">The options; null for the defaults.</param>
    /// <param name="ct">Cancels the start.</param>
    /// <exception cref="ArgumentException">The options are invalid, for example with an address that is not loopback.</exception>
    /// <exception cref="IOException">The port is in use.</exception>
    public static async Task<EmbeddedCluster> StartAsync(EmbeddedClusterOptions? options = null, CancellationToken ct = default)
    {
        options ??= new EmbeddedClusterOptions();
        if (!IPAddress.IsLoopback(options.Address))
        {
            throw new ArgumentException($"Address {options.Address} is not a loopback address; use 127.0.0.1 or ::1.", nameof(options));
        }
        // The host and the services start in parallel: the first start in a process is dominated by JIT compilation.
        var certificates = Task.Run(() => options.Tls ? ClusterCertificates.Create(options.Address) : null, CancellationToken.None);
        var making = Task.Run(async () => ClusterServices.Create(options, await certificates), CancellationToken.None);
        WebApplication? host = null;
        try
        {
            host = await ClusterHost.StartAsync(options, certificates, making, ct);
            var services = await making;
            var url = ClusterHost.UrlOf(host, options);
            services.Start(options.Address, url.Port);
            return new EmbeddedCluster(options, services, host, url);
        }
        catch
        {
            if (host is not null)
            {
                await host.DisposeAsync();
            }
            await ((Task)making).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (making.IsCompletedSuccessfully)
            {
                await (await making).DisposeAsync();
            }
            throw;
        }
    }

    /// <summary>Kubeconfig with a bearer token, as YAML.</summary>
    /// <param name="token">The token, for instance of a ServiceAccount.</param>
    /// <param name="user">Name of the user entry.</param>
    /// <param name="namespace">Default namespace; null for <c>default</c>.</param>
    public string KubeconfigFor(string token, string user = "user", string? @namespace = null) =>
        Kubeconfig.Write(_options.Name, Url, CertificateAuthorityPem, user, token, @namespace);

    /// <summary>The administrator's client configuration.</summary>
    /// <param name="userAgent">User-Agent of the client, for <see cref="Requests"/>; null for the default of KubernetesClient.</param>
    public KubernetesClientConfiguration ClientConfiguration(string? userAgent = null) =>
        ClientConfigurationFor(_services.AdminToken, userAgent);

    /// <summary>Client configuration with a bearer token; anonymous if the token is empty.</summary>
    /// <param name="token">The token.</param>
    /// <param name="userAgent">User-Agent of the client.</param>
    public KubernetesClientConfiguration ClientConfigurationFor(string token, string? userAgent = null)
    {
        ArgumentNullException.ThrowIfNull(token);
        var configuration = new KubernetesClientConfiguration
        {
            Host = Url.GetLeftPart(UriPartial.Authority),
            AccessToken = token.Length == 0 ? null : token,
        };
        if (userAgent is not null)
        {
            configuration.UserAgent = userAgent;
        }
        if (CertificateAuthorityPem is { } pem)
        {
            configuration.SslCaCerts = new X509Certificate2Collection(X509Certificate2.CreateFromPem(pem));
        }
        return configuration;
    }

    /// <summary>A client of the administrator. The caller disposes it.</summary>
    /// <param name="userAgent">User-Agent of the client, for <see cref="Requests"/>.</param>
    public IKubernetes CreateClient(string? userAgent = null) => new Kubernetes(ClientConfiguration(userAgent));

    /// <summary>Creates or updates the CustomResourceDefinitions of a YAML text; other kinds are an error.</summary>
    /// <param name="yaml">One or several documents.</param>
    /// <param name="ct">Checked between definitions.</param>
    /// <exception cref="ArgumentException">The text is not valid YAML, contains another kind, or a definition is invalid.</exception>
    public Task InstallCrdsAsync(string yaml, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(yaml);
        try
        {
            foreach (var document in YamlReading.ParseAll(yaml))
            {
                ct.ThrowIfCancellationRequested();
                _services.InstallDefinition(document);
            }
        }
        catch (FormatException exception)
        {
            throw new ArgumentException($"Invalid CustomResourceDefinitions: {exception.Message}", nameof(yaml), exception);
        }
        return Task.CompletedTask;
    }

    /// <inheritdoc cref="InstallCrdsAsync(string, CancellationToken)"/>
    public async Task InstallCrdsAsync(IEnumerable<string> yaml, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(yaml);
        foreach (var text in yaml)
        {
            await InstallCrdsAsync(text, ct);
        }
    }

    /// <summary>Counts the requests in progress, for example open watches.</summary>
    /// <param name="matches">Which requests to count.</param>
    public int CountRunning(Func<RequestRecord, bool> matches)
    {
        ArgumentNullException.ThrowIfNull(matches);
        return Faults.CountRunning(matches);
    }

    /// <summary>Stops the server and ends all watches.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }
        _services.Server.Stop();
        using (var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(1)))
        {
            await _host.StopAsync(timeout.Token);
        }
        await _host.DisposeAsync();
        await _services.DisposeAsync();
    }
}
