using System.Text.RegularExpressions;

namespace KubeLB.Api.Naming;

/// <summary>Names of Kubernetes objects that are DNS names.</summary>
/// <remarks>https://kubernetes.io/docs/concepts/overview/working-with-objects/names/</remarks>
public static partial class DnsNames
{
    private const int MaxSubdomainLength = 253;

    /// <summary>Whether the text is a DNS-1123 label: at most 63 lower-case letters, digits and dashes.</summary>
    public static bool IsLabel(string text) => Label().IsMatch(text);

    /// <summary>Whether the text is a DNS-1123 subdomain: at most 253 characters, lower-case labels of any length joined by dots.</summary>
    public static bool IsSubdomain(string text) => text.Length <= MaxSubdomainLength && Subdomain().IsMatch(text);

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Label();

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Subdomain();
}
