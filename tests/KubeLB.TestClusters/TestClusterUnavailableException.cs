namespace KubeLB.TestClusters;

/// <summary>The chosen kind of test cluster is not available on this machine. The message has the reason and the remedy.</summary>
public sealed class TestClusterUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
