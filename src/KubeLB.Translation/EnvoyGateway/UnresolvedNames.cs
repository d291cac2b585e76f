using System.Security.Cryptography;
using System.Text;

namespace KubeLB.Translation.EnvoyGateway;

/// <summary>
/// Names for references that resolve to nothing of the tenant's. They are rewritten too: left as they are, they could
/// name an object of somebody else's. No generated object can have such a name, since those have at most 60 characters.
/// </summary>
public static class UnresolvedNames
{
    private const string Prefix = "unresolved-";
    private const int Length = 63;

    /// <summary>A DNS-1035 label of 63 characters.</summary>
    public static string For(string @namespace, string name) =>
        (Prefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{@namespace}/{name}"))))[..Length];
}
