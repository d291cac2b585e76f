using System.Globalization;
using System.Text;

namespace KubeLB.Sandbox.EnvoyGateway.Forwarding;

/// <summary>
/// Normalizes paths as Envoy does with Envoy Gateway's defaults (<c>normalize_path</c>, <c>merge_slashes</c> and
/// <c>path_with_escaped_slashes_action: UNESCAPE_AND_REDIRECT</c>). Pure.
/// </summary>
/// <remarks>RFC 3986, section 5.2.4 (dot segments) and 2.3 (unreserved characters).</remarks>
internal static class RequestPath
{
    /// <summary>The normalized path, and whether the client is redirected to it because it had escaped slashes.</summary>
    /// <param name="path">Undecoded path, starting with a slash, without query.</param>
    public static (string Path, bool Redirects) Normalize(string path)
    {
        var decoded = Decode(path, c => c is '/' or '\\');
        var redirects = decoded.Length != path.Length;
        return (MergeSlashes(RemoveDotSegments(Decode(decoded, IsUnreserved).Replace('\\', '/'))), redirects);
    }

    private static bool IsUnreserved(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~';

    private static string Decode(string path, Func<char, bool> isDecoded)
    {
        var result = new StringBuilder(path.Length);
        for (var i = 0; i < path.Length; i++)
        {
            if (
                path[i] == '%'
                && i + 2 < path.Length
                && byte.TryParse(path.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
                && isDecoded((char)value)
            )
            {
                result.Append((char)value);
                i += 2;
            }
            else
            {
                result.Append(path[i]);
            }
        }

        return result.ToString();
    }

    private static string RemoveDotSegments(string path)
    {
        var segments = path.Split('/');
        var kept = new List<string>(segments.Length);
        foreach (var (i, segment) in segments.Index().Skip(1))
        {
            if (segment is not ("." or ".."))
            {
                kept.Add(segment);
                continue;
            }

            if (segment == ".." && kept.Count > 0)
            {
                kept.RemoveAt(kept.Count - 1);
            }

            if (i == segments.Length - 1)
            {
                kept.Add("");
            }
        }

        return "/" + string.Join('/', kept);
    }

    private static string MergeSlashes(string path)
    {
        if (!path.Contains("//", StringComparison.Ordinal))
        {
            return path;
        }

        var result = new StringBuilder(path.Length);
        foreach (var c in path)
        {
            if (c != '/' || result.Length == 0 || result[^1] != '/')
            {
                result.Append(c);
            }
        }

        return result.ToString();
    }
}
