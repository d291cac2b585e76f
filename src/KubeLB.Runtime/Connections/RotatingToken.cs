using System.Net.Http.Headers;
using k8s.Authentication;

namespace KubeLB.Runtime.Connections;

/// <summary>
/// The bearer token of a kubeconfig file, reloaded after the file changes, so that token rotation needs no restart. While the file is
/// missing or incomplete, the last token is used.
/// </summary>
internal sealed class RotatingToken : ITokenProvider
{
    /// <summary>The minimum interval between two checks of the file. Only requests trigger a check.</summary>
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(1);

    private readonly KubeconfigFile _file;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly string _server;
    private string _token;
    private string? _fingerprint;
    private long _checkedAt;

    public RotatingToken(KubeconfigFile file, string server, string token, TimeProvider time)
    {
        _file = file;
        _server = server;
        _token = token;
        _time = time;
        _checkedAt = time.GetTimestamp();
    }

    public Task<AuthenticationHeaderValue> GetAuthenticationHeaderAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_time.GetElapsedTime(_checkedAt) >= CheckInterval)
            {
                _checkedAt = _time.GetTimestamp();
                ReloadIfChanged();
            }

            return Task.FromResult(new AuthenticationHeaderValue("Bearer", _token));
        }
    }

    private void ReloadIfChanged()
    {
        try
        {
            var fingerprint = _file.Fingerprint();
            if (fingerprint != _fingerprint && _file.Read() is { AccessToken: { Length: > 0 } token } present && present.Host == _server)
            {
                // The Host check above prevents sending the token of another server to this one.
                _token = token;
                _fingerprint = fingerprint;
            }
        }
        catch (Exception e) when (Kubeconfig.IsInvalid(e))
        {
            // The file is being replaced or is invalid. The last token is kept; if it has expired, the API server responds with 401.
        }
    }
}
