using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using k8s.Models;

namespace KubeLB.Inspection.Access;

/// <summary>Reads the certificates of Secrets.</summary>
internal static class Certificates
{
    /// <summary>The certificate in <c>tls.crt</c>; null if there is none, or it is invalid.</summary>
    public static X509Certificate2? Read(V1Secret? secret)
    {
        try
        {
            return secret?.Data?.TryGetValue("tls.crt", out var pem) == true
                ? X509Certificate2.CreateFromPem(Encoding.ASCII.GetString(pem))
                : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
