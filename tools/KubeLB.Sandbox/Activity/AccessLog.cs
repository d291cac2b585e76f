namespace KubeLB.Sandbox.Activity;

/// <summary>The access log of the Gateways: a file with all requests, and a console with a limited number.</summary>
/// <param name="path">The file.</param>
/// <param name="console">Prints a line; null for the file only.</param>
/// <param name="time">The clock.</param>
internal sealed class AccessLog(string path, Action<string>? console, TimeProvider time) : IDisposable
{
    /// <summary>Name of the file.</summary>
    public const string FileName = "access.log";

    /// <summary>The maximum number of requests on the console within one second.</summary>
    public const int MaxPerSecond = 10;

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly StreamWriter _file = new(path, append: true) { AutoFlush = true };
    private long _windowStart;
    private int _requests;
    private bool _isNoticed;
    private bool _isClosed;

    /// <summary>Adds a request. Called from any thread.</summary>
    public void Add(GatewayAccess access)
    {
        var line = access.ToString();
        lock (_gate)
        {
            if (_isClosed)
            {
                return;
            }

            _file.WriteLine($"{access.Time.UtcDateTime:yyyy-MM-ddTHH:mm:ss.fffZ} {line}");
            if (console is not null)
            {
                Print(console, line);
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isClosed = true;
            _file.Dispose();
        }
    }

    private void Print(Action<string> print, string line)
    {
        var elapsed = time.GetElapsedTime(_windowStart);
        if (_requests == 0 || elapsed >= Window)
        {
            // One notice for a load that continues.
            _isNoticed = _isNoticed && _requests > MaxPerSecond && elapsed < 2 * Window;
            _windowStart = time.GetTimestamp();
            _requests = 0;
        }

        _requests++;
        if (_requests <= MaxPerSecond)
        {
            print(line);
        }
        else if (!_isNoticed)
        {
            _isNoticed = true;
            print($"More than {MaxPerSecond} requests per second: the others are only in {FileName}.");
        }
    }
}
