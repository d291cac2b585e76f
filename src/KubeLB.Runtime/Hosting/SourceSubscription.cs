namespace KubeLB.Runtime.Hosting;

/// <summary>The connection of a controller to a source of keys (<see cref="ControllerBuilder.Source"/>).</summary>
/// <param name="end">Ends it; null if there is nothing to end.</param>
public sealed class SourceSubscription(Action? end = null) : IDisposable
{
    /// <inheritdoc />
    public void Dispose() => end?.Invoke();
}
