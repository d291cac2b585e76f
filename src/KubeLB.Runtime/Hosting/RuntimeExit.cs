namespace KubeLB.Runtime.Hosting;

/// <summary>
/// How the process should end after the host has stopped: <c>return host.Services.GetRequiredService&lt;RuntimeExit&gt;().Code;</c>.
/// </summary>
public sealed class RuntimeExit
{
    private string? _reason;

    /// <summary>Exit code: 0 after an ordinary stop, 1 after a failure such as a lost lease.</summary>
    public int Code => _reason is null ? 0 : 1;

    /// <summary>One sentence on what failed; null after an ordinary stop.</summary>
    public string? Reason => _reason;

    /// <summary>Marks the run as failed. The first reason wins.</summary>
    public void Fail(string reason)
    {
        ArgumentException.ThrowIfNullOrEmpty(reason);
        Interlocked.CompareExchange(ref _reason, reason, null);
    }
}
