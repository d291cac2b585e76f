using System.Net.Http.Headers;
using k8s.Authentication;

namespace KubeLB.Runtime.Connections;

/// <summary>
/// The bearer token of a kubeconfig file, taken from the file anew soon after it was replaced, so that an expired token is mended
/// without a restart. A file that is missing or half written for a moment leaves the token as it is.
/// </summary>
internal sealed class RotatingToken : ITokenProvider
{
    /// <summary>The file is looked at this often at most, and only when there is something to send.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly KubeconfigFile _file;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly string _server;
    private string _token;
    private string? _fingerprint;
    private long _looked;

    public RotatingToken(KubeconfigFile file, string server, string token, TimeProvider time)
    {
        _file = file;
        _server = server;
        _token = token;
        _time = time;
        _looked = time.GetTimestamp();
    }

    public Task<AuthenticationHeaderValue> GetAuthenticationHeaderAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_time.GetElapsedTime(_looked) >= Pause)
            {
                _looked = _time.GetTimestamp();
                Look();
            }

            return Task.FromResult(new AuthenticationHeaderValue("Bearer", _token));
        }
    }

    private void Look()
    {
        try
        {
            var fingerprint = _file.Fingerprint();
            if (fingerprint != _fingerprint && _file.Read() is { AccessToken: { Length: > 0 } token } present && present.Host == _server)
            {
                // A token for another server is not sent to this one.
                _token = token;
                _fingerprint = fingerprint;
            }
        }
        catch (Exception e) when (Kubeconfig.IsUnusable(e))
        {
            // It is being replaced, or somebody broke it: the API server's answers tell whether the token still does.
        }
    }
}
