using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Api.GatewayApi;

namespace KubeLB.EndToEnd.Support;

/// <summary>
/// Reads every status and Event that the API server of a tenant's cluster sends, and collects those that name an object or a namespace of
/// the management cluster.
/// </summary>
public sealed partial class TenantWords
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(200);

    private readonly IKubernetes _client;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<string> _violations = [];
    private readonly List<Task> _watching;

    public TenantWords(IKubernetes client)
    {
        _client = client;
        _watching =
        [
            WatchAsync<Gateway>(
                client,
                g =>
                    (g.Status?.Conditions ?? [])
                        .Concat((g.Status?.Listeners ?? []).SelectMany(l => l.Conditions ?? []))
                        .Select(c => c.Message)
            ),
            WatchAsync<HttpRoute>(client, r => MessagesOf(r)),
            WatchAsync<GrpcRoute>(client, r => MessagesOf(r)),
            WatchAsync<Corev1Event>(client, e => e.Source?.Component == "kubelb-ccm" ? [e.Message] : []),
        ];
    }

    /// <summary>Stops, and returns the messages with foreign names.</summary>
    public async Task<IReadOnlyList<string>> StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_watching);
        _stop.Dispose();
        _client.Dispose();
        return [.. _violations.Distinct()];
    }

    private static IEnumerable<string> MessagesOf(IGatewayRoute route) =>
        (route.Status?.Parents ?? [])
            .Where(p => p.ControllerName == GatewayClass.KubelbController)
            .SelectMany(p => p.Conditions)
            .Select(c => c.Message);

    // Tests interrupt watches, and remove kinds.
    private Task WatchAsync<T>(IKubernetes client, Func<T, IEnumerable<string?>> messagesOf)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        Task.Run(async () =>
        {
            var kind = typeof(T).GetCustomAttribute<KubernetesEntityAttribute>()!;
            using var objects = new GenericClient(client, kind.Group, kind.ApiVersion, kind.PluralName, disposeClient: false);
            while (!_stop.IsCancellationRequested)
            {
                try
                {
                    await foreach (var (_, value) in objects.WatchAsync<T>(cancel: _stop.Token))
                    {
                        foreach (var message in messagesOf(value).OfType<string>().Where(m => ForeignName().IsMatch(m)))
                        {
                            _violations.Add($"{kind.Kind} {value.Metadata.NamespaceProperty}/{value.Metadata.Name}: {message}");
                        }
                    }
                }
                catch (Exception e)
                    when (e is HttpOperationException or HttpRequestException or IOException or JsonException or KubernetesException)
                {
                    // It is watched again.
                }
                catch (OperationCanceledException)
                {
                    return;
                }

                await Task.Delay(RetryInterval, CancellationToken.None);
            }
        });

    [GeneratedRegex(@"unresolved-[0-9a-f]|(?<![\w./-])tenant-[a-z0-9-]+/[a-z0-9]")]
    private static partial Regex ForeignName();
}
