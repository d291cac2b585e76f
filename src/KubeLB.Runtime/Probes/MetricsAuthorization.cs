using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Api.Messages;
using KubeLB.Runtime.Clusters;
using Microsoft.Extensions.Logging;

namespace KubeLB.Runtime.Probes;

/// <summary>
/// Authorizes requests for <c>/metrics</c>: an API server authenticates the bearer token (TokenReview), and its user must be permitted to
/// <c>get</c> the nonResourceURL <c>/metrics</c> (SubjectAccessReview). Results are cached for a short time.
/// </summary>
internal sealed class MetricsAuthorization(Cluster cluster, TimeProvider time, ILogger logger) : IDisposable
{
    /// <summary>How long a permission is cached. Prometheus scrapes every 15 to 60 s.</summary>
    public static readonly TimeSpan PermittedTime = TimeSpan.FromMinutes(1);

    /// <summary>How long a denial is cached.</summary>
    public static readonly TimeSpan DeniedTime = TimeSpan.FromSeconds(10);

    // Bounds the memory of permissions and of denials each, since clients choose their tokens; further results are not cached.
    private const int MaxCached = 100;

    // Bounds the requests to the API server, which clients with invalid tokens cause.
    private const int MaxConcurrentReviews = 2;
    private static readonly TimeSpan ReviewTimeout = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _reviews = new(MaxConcurrentReviews);
    private readonly Dictionary<string, (Denial? Denial, long At)> _permitted = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (Denial? Denial, long At)> _denied = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private bool _isFailing;

    /// <summary>Why a request is denied.</summary>
    /// <param name="Status">The HTTP status.</param>
    /// <param name="Text">The reason, with a remedy.</param>
    public sealed record Denial(int Status, string Text);

    /// <param name="authorization">The header <c>Authorization</c> of the request.</param>
    /// <param name="cancellationToken">Cancels the requests to the API server.</param>
    /// <returns>Null if the request is permitted.</returns>
    public async Task<Denial?> ReviewAsync(string? authorization, CancellationToken cancellationToken)
    {
        if (
            !AuthenticationHeaderValue.TryParse(authorization, out var header)
            || !header.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase)
            || string.IsNullOrEmpty(header.Parameter)
        )
        {
            return new Denial(401, "No bearer token: send header \"Authorization: Bearer TOKEN\" with a token of a ServiceAccount.");
        }

        // The hash, so that no token is kept in memory.
        var key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(header.Parameter)));
        if (TryGetCached(key, out var cached))
        {
            return cached;
        }

        await _reviews.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!TryGetCached(key, out cached))
            {
                cached = await SendAsync(header.Parameter, cancellationToken).ConfigureAwait(false);
                Cache(key, cached);
                _isFailing = false;
            }

            return cached;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // Any failure of the requests denies the request.
        catch (Exception e)
#pragma warning restore CA1031
        {
            var problem = MessageText.Truncate(
                e is HttpOperationException { Response: { } response }
                    ? ApiStatus.MessageOf(response.Content)
                    : e.GetBaseException().Message,
                300
            );
            if (!_isFailing)
            {
                _isFailing = true;
                Log.MetricsReviewFailed(logger, cluster.Name, problem);
            }

            return new Denial(503, "The API server did not review the token; see the log of this process.");
        }
        finally
        {
            _reviews.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _reviews.Dispose();

    private async Task<Denial?> SendAsync(string token, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(ReviewTimeout);
        var review = await cluster
            .Kubernetes.AuthenticationV1.CreateTokenReviewAsync(
                new V1TokenReview { Spec = new V1TokenReviewSpec { Token = token } },
                cancellationToken: limit.Token
            )
            .ConfigureAwait(false);
        if (review.Status is not { Authenticated: true, User: { } user })
        {
            return new Denial(
                401,
                "The API server does not accept the bearer token: use a current token of a ServiceAccount of this cluster."
            );
        }

        var access = await cluster
            .Kubernetes.AuthorizationV1.CreateSubjectAccessReviewAsync(
                new V1SubjectAccessReview
                {
                    Spec = new V1SubjectAccessReviewSpec
                    {
                        User = user.Username,
                        Groups = user.Groups,
                        Uid = user.Uid,
                        Extra = user.Extra,
                        NonResourceAttributes = new V1NonResourceAttributes { Path = "/metrics", Verb = "get" },
                    },
                },
                cancellationToken: limit.Token
            )
            .ConfigureAwait(false);
        return access.Status is { Allowed: true, Denied: not true }
            ? null
            : new Denial(
                403,
                $"User \"{user.Username}\" cannot get path \"/metrics\": "
                    + "bind a ClusterRole with nonResourceURLs [/metrics] and verbs [get]."
            );
    }

    private bool TryGetCached(string key, out Denial? denial)
    {
        lock (_gate)
        {
            if ((_permitted.TryGetValue(key, out var known) || _denied.TryGetValue(key, out known)) && IsCurrent(known))
            {
                denial = known.Denial;
                return true;
            }
        }

        denial = null;
        return false;
    }

    // Denials do not displace permissions, so that clients without permission do not cause reviews of a permitted one.
    private void Cache(string key, Denial? denial)
    {
        lock (_gate)
        {
            var cache = denial is null ? _permitted : _denied;
            (denial is null ? _denied : _permitted).Remove(key);
            if (cache.Count >= MaxCached)
            {
                foreach (var (old, _) in cache.Where(c => !IsCurrent(c.Value)).ToList())
                {
                    cache.Remove(old);
                }
            }

            if (cache.Count < MaxCached || cache.ContainsKey(key))
            {
                cache[key] = (denial, time.GetTimestamp());
            }
        }
    }

    private bool IsCurrent((Denial? Denial, long At) result) =>
        time.GetElapsedTime(result.At) < (result.Denial is null ? PermittedTime : DeniedTime);
}
