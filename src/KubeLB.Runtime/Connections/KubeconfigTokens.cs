using System.Net.Http.Headers;
using k8s;
using k8s.Authentication;
using k8s.Exceptions;
using YamlDotNet.Core;

namespace KubeLB.Runtime.Connections;

/// <summary>
/// The bearer token of a kubeconfig file, read again when the file changes: a Secret mounted as a file changes in place, and whoever holds a
/// token that was replaced must not need a restart.
/// </summary>
internal sealed class KubeconfigTokens(FileInfo file, string token, TimeProvider time) : ITokenProvider
{
    // Mounted files are swapped behind links, whose times say nothing; reading a few kilobytes once in a while is cheap.
    private static readonly TimeSpan ReadAgainAfter = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private long _readAt = time.GetTimestamp();
    private string _token = token;

    public Task<AuthenticationHeaderValue> GetAuthenticationHeaderAsync(CancellationToken cancellationToken) =>
        Task.FromResult(new AuthenticationHeaderValue("Bearer", Current()));

    private string Current()
    {
        lock (_gate)
        {
            if (time.GetElapsedTime(_readAt) >= ReadAgainAfter)
            {
                _readAt = time.GetTimestamp();
                _token = Read() ?? _token;
            }

            return _token;
        }
    }

    // A file that is just being replaced, or was replaced by something else, leaves the token that is known.
    private string? Read()
    {
        try
        {
            return KubernetesClientConfiguration.BuildConfigFromConfigFile(file).AccessToken is { Length: > 0 } found ? found : null;
        }
        catch (Exception e) when (e is KubeConfigException or YamlException or IOException or UnauthorizedAccessException
            or FormatException or ArgumentException or System.Security.Cryptography.CryptographicException or NullReferenceException)
        {
            return null;
        }
    }
}
