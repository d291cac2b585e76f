using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Probes;

/// <summary>
/// The server certificate of <c>/metrics</c>: from files, which are read again if they have changed, or self-signed and replaced before it
/// expires.
/// </summary>
internal sealed class MetricsCertificate(string path, TimeProvider time, ILogger logger)
{
    // The interval at which controller-runtime reads the files of a certificate.
    private static readonly TimeSpan ReadInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan SelfSignedLifetime = TimeSpan.FromDays(365);

    private readonly Lock _gate = new();
    private SslServerAuthenticationOptions? _current;
    private (string Certificate, string Key) _read;
    private string? _problem;
    private DateTimeOffset _next;

    /// <summary>Reads or creates the certificate.</summary>
    /// <exception cref="IOException">The files cannot be used; the message has a remedy.</exception>
    public void Load()
    {
        if (Update() is { } problem)
        {
            throw new IOException(problem);
        }
    }

    /// <summary>The settings of a TLS connection that a client opens now.</summary>
    public SslServerAuthenticationOptions Current
    {
        get
        {
            lock (_gate)
            {
                if (time.GetUtcNow() >= _next)
                {
                    var problem = Update();
                    if (problem is not null && problem != _problem)
                    {
                        Log.MetricsCertificateInvalid(logger, problem);
                    }

                    _problem = problem;
                }

                return _current!;
            }
        }
    }

    /// <returns>Null, or why the last certificate is kept.</returns>
    private string? Update()
    {
        if (path.Length == 0)
        {
            _next = time.GetUtcNow() + (SelfSignedLifetime / 2);
            _current = Options(SelfSigned(), []);
            return null;
        }

        _next = time.GetUtcNow() + ReadInterval;
        try
        {
            var read = (File.ReadAllText(Path.Combine(path, "tls.crt")), File.ReadAllText(Path.Combine(path, "tls.key")));
            if (_current is null || read != _read)
            {
                var chain = new X509Certificate2Collection();
                chain.ImportFromPem(read.Item1);
                _current = Options(X509Certificate2.CreateFromPem(read.Item1, read.Item2), [.. chain.Skip(1)]);
                _read = read;
            }

            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            return $"Cannot read the certificate of /metrics from {path}: {e.Message.TrimEnd('.')}. "
                + "Mount a Secret of type kubernetes.io/tls there, or remove --metrics-cert-path.";
        }
    }

    private static SslServerAuthenticationOptions Options(X509Certificate2 certificate, X509Certificate2Collection intermediates) =>
        new()
        {
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate, intermediates, offline: true),
        };

    private X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=metrics", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        var now = time.GetUtcNow();
        return request.CreateSelfSigned(now.AddHours(-1), now + SelfSignedLifetime);
    }
}
