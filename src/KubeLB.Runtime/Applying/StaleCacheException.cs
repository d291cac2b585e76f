namespace KubeLB.Runtime.Applying;

/// <summary>
/// The cache did not show what the API server holds. Ordinary: the key is tried again when the cache has caught up, and nothing is logged
/// above Debug.
/// </summary>
public sealed class StaleCacheException : Exception
{
    /// <summary>Creates the exception with a sentence that says what was seen.</summary>
    public StaleCacheException(string message)
        : base(message) { }

    /// <summary>Creates the exception with the API server's refusal as its cause.</summary>
    public StaleCacheException(string message, Exception innerException)
        : base(message, innerException) { }
}
