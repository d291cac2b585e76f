using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using k8s.Models;

namespace KubeLB.EndToEnd.Support;

/// <summary>A certificate with its key, made for a test.</summary>
public sealed class TlsPair
{
    public TlsPair(string host)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        Certificate = certificate.ExportCertificatePem();
        Key = key.ExportPkcs8PrivateKeyPem();
        Thumbprint = certificate.Thumbprint;
    }

    public string Certificate { get; }

    public string Key { get; }

    public string Thumbprint { get; }

    /// <summary>The Secret that holds it, as <c>kubectl apply</c> would leave it: with its content in an annotation, too.</summary>
    public V1Secret Secret(string name, string @namespace = "default") =>
        new()
        {
            ApiVersion = V1Secret.KubeApiVersion,
            Kind = V1Secret.KubeKind,
            Metadata = new V1ObjectMeta
            {
                Name = name,
                NamespaceProperty = @namespace,
                Annotations = new Dictionary<string, string>
                {
                    ["kubectl.kubernetes.io/last-applied-configuration"] = $$"""{"data":{{Data}}}""",
                },
            },
            Type = "kubernetes.io/tls",
            Data = new Dictionary<string, byte[]>
            {
                ["tls.crt"] = Encoding.UTF8.GetBytes(Certificate),
                ["tls.key"] = Encoding.UTF8.GetBytes(Key),
            },
        };

    /// <summary>The content as JSON, for a patch.</summary>
    public string Data => $$"""{"tls.crt":"{{Base64(Certificate)}}","tls.key":"{{Base64(Key)}}"}""";

    /// <summary>Parts of the key that must not leak, plain and as base64.</summary>
    public IEnumerable<string> Traces
    {
        get
        {
            var line = Key.Split('\n')[1];
            return [line[30..], Base64(Key)[60..120]];
        }
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
