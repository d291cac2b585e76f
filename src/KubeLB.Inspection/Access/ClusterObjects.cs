using System.Collections.Concurrent;
using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Storing;

namespace KubeLB.Inspection.Access;

/// <summary>
/// The objects that were read from an API server. A look-up of an object that was not read yet finds nothing and remembers the request;
/// <see cref="ReadMissingAsync"/> sends all of them. So a pure function that is repeated until nothing is missing decides what is read.
/// </summary>
public sealed class ClusterObjects(Cluster cluster, string name) : IObjects
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<object, object> _read = new();
    private readonly ConcurrentDictionary<object, Func<CancellationToken, Task<object>>> _missing = new();

    /// <inheritdoc />
    public Seen<T> Get<T>(string @namespace, string name)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var key = (typeof(T), @namespace, name, "get");
        if (_read.TryGetValue(key, out var read))
        {
            return (Seen<T>)read;
        }

        _missing.TryAdd(key, cancel => GetAsync<T>(new ResourceKey(@namespace, name), cancel));
        return default;
    }

    /// <inheritdoc />
    public SeenList<T> List<T>(string @namespace = "", string? labelSelector = null)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var key = (typeof(T), @namespace, labelSelector ?? "", "list");
        if (_read.TryGetValue(key, out var read))
        {
            return (SeenList<T>)read;
        }

        _missing.TryAdd(key, cancel => ListAsync<T>(new ListQuery { Namespace = @namespace, LabelSelector = labelSelector }, cancel));
        return new([]);
    }

    /// <summary>Reads what look-ups did not find yet.</summary>
    /// <returns>False if nothing was missing.</returns>
    public async Task<bool> ReadMissingAsync(CancellationToken cancellationToken)
    {
        var missing = _missing.ToList();
        if (missing.Count == 0)
        {
            return false;
        }

        await Task.WhenAll(missing.Select(m => ReadAsync(m.Key, m.Value, cancellationToken))).ConfigureAwait(false);
        return true;
    }

    private async Task ReadAsync(object key, Func<CancellationToken, Task<object>> read, CancellationToken cancellationToken)
    {
        _read[key] = await read(cancellationToken).ConfigureAwait(false);
        _missing.TryRemove(key, out _);
    }

    private async Task<object> GetAsync<T>(ResourceKey key, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var (value, problem) = await TryAsync<T, T?>(name, "get", cancel => cluster.Client<T>().GetAsync(key, cancel), cancellationToken)
            .ConfigureAwait(false);
        return new Seen<T>(value, problem);
    }

    private async Task<object> ListAsync<T>(ListQuery query, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var (value, problem) = await TryAsync<T, ListResult<T>?>(
                name,
                "list",
                async cancel => await cluster.Client<T>().ListAsync(query, cancel).ConfigureAwait(false),
                cancellationToken
            )
            .ConfigureAwait(false);
        return new SeenList<T>(value?.Items ?? [], problem);
    }

    /// <summary>Sends a request, and explains a failure.</summary>
    internal static async Task<(TResult? Value, string? Problem)> TryAsync<T, TResult>(
        string cluster,
        string verb,
        Func<CancellationToken, Task<TResult>> request,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Timeout);
        var kind = ResourceKind.Of<T>().FullName;
        try
        {
            return (await request(deadline.Token).ConfigureAwait(false), null);
        }
        catch (HttpOperationException e) when (e.Response?.StatusCode == HttpStatusCode.NotFound)
        {
            return (default, $"the {cluster} does not have the kind {kind}");
        }
        catch (HttpOperationException e) when (e.Response?.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized)
        {
            return (default, $"no permission to {verb} {kind} in the {cluster}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (default, $"the API server of the {cluster} did not respond within {(int)Timeout.TotalSeconds} s");
        }
        catch (Exception e) when (e is HttpOperationException or HttpRequestException or IOException or System.Text.Json.JsonException)
        {
            return (default, $"the {cluster} cannot be read: {e.GetBaseException().Message.ReplaceLineEndings(" ").TrimEnd('.')}");
        }
    }
}
