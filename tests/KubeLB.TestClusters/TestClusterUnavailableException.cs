namespace KubeLB.TestClusters;

/// <summary>The chosen kind of test cluster cannot be had on this machine. The message says why, and what to change.</summary>
public sealed class TestClusterUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
