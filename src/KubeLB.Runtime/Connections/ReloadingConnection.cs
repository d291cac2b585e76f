using System.Security.Cryptography;
using System.Text;
using k8s;

namespace KubeLB.Runtime.Connections;

/// <summary>
/// A connection that reloads its kubeconfig file: after <see cref="Refresh"/> detects a change, new requests use the server, certificate
/// authority and credentials of the new content. Open requests are not affected.
/// </summary>
internal sealed class ReloadingConnection : Kubernetes
{
    private readonly KubeconfigFile _file;
    private readonly string _userAgent;
    private readonly ConnectionSwitch _switch;
    private string _fingerprint;

    private ReloadingConnection(
        KubeconfigFile file,
        string userAgent,
        KubernetesClientConfiguration configuration,
        DelegatingHandler[] handlers,
        ConnectionSwitch connectionSwitch
    )
        : base(configuration, [.. handlers, connectionSwitch])
    {
        _file = file;
        _userAgent = userAgent;
        _switch = connectionSwitch;
        _switch.InitialServer = BaseUri;
        _fingerprint = FingerprintOf(file, configuration);
    }

    /// <summary>The server that requests are currently sent to.</summary>
    public Uri Server => _switch.Current?.BaseUri ?? BaseUri;

    /// <exception cref="KubeconfigException">The file is invalid.</exception>
    public static ReloadingConnection Create(
        KubeconfigFile file,
        string userAgent,
        KubernetesClientConfiguration configuration,
        params DelegatingHandler[] handlers
    ) => new(file, userAgent, configuration, handlers, new ConnectionSwitch());

    /// <summary>Reads the file and switches to its content if that has changed.</summary>
    /// <returns>Whether the content has changed.</returns>
    /// <exception cref="KubeconfigException">The file is invalid; the connection is unchanged.</exception>
    public bool Refresh()
    {
        try
        {
            var configuration = Kubeconfig.Read(_file);
            var fingerprint = FingerprintOf(_file, configuration);
            if (fingerprint == _fingerprint)
            {
                return false;
            }

            _switch.SwitchTo(new Kubernetes(Kubeconfig.Prepare(configuration, _userAgent)));
            _fingerprint = fingerprint;
            return true;
        }
        catch (Exception e) when (Kubeconfig.IsInvalid(e))
        {
            throw Kubeconfig.Invalid(_file.Path, e);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _switch.DisposeConnections();
        }

        base.Dispose(disposing);
    }

    // Certificates in separate files can be rotated without a change of the kubeconfig.
    private static string FingerprintOf(KubeconfigFile file, KubernetesClientConfiguration configuration)
    {
        var text = new StringBuilder(file.Fingerprint());
        foreach (
            var path in new[] { configuration.ClientCertificateFilePath, configuration.ClientKeyFilePath }.Where(p =>
                !string.IsNullOrEmpty(p)
            )
        )
        {
            text.Append('\n').Append(File.ReadAllText(path));
        }

        foreach (var authority in configuration.SslCaCerts ?? [])
        {
            text.Append('\n').Append(authority.Thumbprint);
        }

        return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    /// <summary>Sends requests through the current connection.</summary>
    private sealed class ConnectionSwitch : DelegatingHandler
    {
        private Kubernetes? _current;
        private Kubernetes? _retired;

        /// <summary>The server of the initial connection, to which all incoming requests are addressed.</summary>
        public Uri InitialServer { get; set; } = null!;

        /// <summary>The connection that replaced the initial one; null before the first switch.</summary>
        public Kubernetes? Current => Volatile.Read(ref _current);

        public void SwitchTo(Kubernetes connection)
        {
            // The previous connection may still have open requests; it is disposed at the next switch.
            _retired?.Dispose();
            _retired = Interlocked.Exchange(ref _current, connection);
        }

        public void DisposeConnections()
        {
            _retired?.Dispose();
            Current?.Dispose();
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (Current is not { } current)
            {
                return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
            }

            var path = request.RequestUri!.AbsoluteUri[InitialServer.AbsoluteUri.TrimEnd('/').Length..];
#pragma warning disable CA2000 // Its content belongs to the original request.
            var readdressed = new HttpRequestMessage(request.Method, new Uri(current.BaseUri.AbsoluteUri.TrimEnd('/') + path))
            {
                Version = request.Version,
                VersionPolicy = request.VersionPolicy,
                Content = request.Content,
            };
#pragma warning restore CA2000
            foreach (var header in request.Headers.Where(h => h.Key is not ("Authorization" or "Host")))
            {
                readdressed.Headers.TryAddWithoutValidation(header.Key, header.Value);
            }

            if (current.Credentials is { } credentials)
            {
                await credentials.ProcessHttpRequestAsync(readdressed, cancellationToken).ConfigureAwait(false);
            }

            return await current
                .HttpClient.SendAsync(readdressed, HttpCompletionOption.ResponseHeadersRead, cancellationToken)
                .ConfigureAwait(false);
        }
    }
}
