using Microsoft.Extensions.Logging;

namespace KubeLB.Xds.Discovery;

/// <summary>All observers, told one after the other; one that throws does not keep the others, or the stream, from going on.</summary>
internal sealed class Observers(IEnumerable<IXdsObserver> observers, ILogger<Observers> logger)
{
    private readonly IXdsObserver[] _observers = [.. observers];

    public void Tell(Action<IXdsObserver> what)
    {
        foreach (var observer in _observers)
        {
            try
            {
                what(observer);
            }
#pragma warning disable CA1031 // An observer's fault is no reason to cut a proxy off.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Log.ObserverFailed(logger, e, observer.GetType());
            }
        }
    }
}
