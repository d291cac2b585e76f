using System.Collections.Concurrent;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Tests.Fakes;

/// <summary>A reconciler with a function of the test as body.</summary>
internal sealed class FuncReconciler : IReconciler
{
    private readonly ConcurrentQueue<ResourceKey> _seen = new();

    public Func<ResourceKey, CancellationToken, Task<ReconcileResult>> Body { get; set; } = (_, _) => Task.FromResult(ReconcileResult.Done);

    public IReadOnlyCollection<ResourceKey> Seen => _seen;

    public int Count(string name) => _seen.Count(key => key.Name == name);

    public Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        _seen.Enqueue(key);
        return Body(key, cancellationToken);
    }
}
