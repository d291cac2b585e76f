namespace KubeLB.Runtime.Probes;

/// <summary>A further condition of <c>/readyz</c>, beside the informers. Register any number as singletons.</summary>
public interface IReadinessCheck
{
    /// <summary>What is checked, for example <c>xds server</c>.</summary>
    string Name { get; }

    /// <summary>One sentence saying why it is not ready; null if it is. Must return at once.</summary>
    string? Problem { get; }
}
