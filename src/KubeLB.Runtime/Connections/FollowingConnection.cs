using System.Security.Cryptography;
using System.Text;
using k8s;

namespace KubeLB.Runtime.Connections;

/// <summary>
/// A connection that follows its kubeconfig file: after <see cref="Refresh"/> has found another content, requests go to the server, and
/// with the certificate authority and credentials, that the file names now. Requests that are open are not touched.
/// </summary>
internal sealed class FollowingConnection : Kubernetes
{
    private readonly KubeconfigFile _file;
    private readonly string _userAgent;
    private readonly ConnectionSwitch _switch;
    private string _fingerprint;

    private FollowingConnection(
        KubeconfigFile file,
        string userAgent,
        KubernetesClientConfiguration configuration,
        ConnectionSwitch connectionSwitch
    )
        : base(configuration, connectionSwitch)
    {
        _file = file;
        _userAgent = userAgent;
        _switch = connectionSwitch;
        _switch.First = BaseUri;
        _fingerprint = FingerprintOf(file, configuration);
    }

    /// <summary>Where requests go at present.</summary>
    public Uri Server => _switch.Current?.BaseUri ?? BaseUri;

    /// <exception cref="KubeconfigException">The file cannot be used.</exception>
    public static FollowingConnection Create(KubeconfigFile file, string userAgent, KubernetesClientConfiguration configuration) =>
        new(file, userAgent, configuration, new ConnectionSwitch());

    /// <summary>Reads the file, and switches if it says something else than before.</summary>
    /// <returns>Whether it did.</returns>
    /// <exception cref="KubeconfigException">The file cannot be used; the connection stays as it is.</exception>
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

            configuration.UserAgent = _userAgent;
            _switch.To(new Kubernetes(configuration));
            _fingerprint = fingerprint;
            return true;
        }
        catch (Exception e) when (Kubeconfig.IsUnusable(e))
        {
            throw Kubeconfig.Unusable(_file.Path, e);
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

    // The certificates may be in files of their own, which are rotated while the kubeconfig stays.
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

    /// <summary>Sends requests through the connection that is current.</summary>
    private sealed class ConnectionSwitch : DelegatingHandler
    {
        private Kubernetes? _current;
        private Kubernetes? _retired;

        /// <summary>Where requests that arrive here are addressed to.</summary>
        public Uri First { get; set; } = null!;

        /// <summary>The connection that replaced the first one; null before.</summary>
        public Kubernetes? Current => Volatile.Read(ref _current);

        public void To(Kubernetes connection)
        {
            // Requests may still be open on the one before; by the next switch they are not.
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

            var path = request.RequestUri!.AbsoluteUri[First.AbsoluteUri.TrimEnd('/').Length..];
#pragma warning disable CA2000 // Its content belongs to the request that it stands for.
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
