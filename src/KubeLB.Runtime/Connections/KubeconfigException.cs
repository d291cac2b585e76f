namespace KubeLB.Runtime.Connections;

/// <summary>A kubeconfig cannot be used; the message is one sentence for the person who wrote it.</summary>
public sealed class KubeconfigException(string message, Exception inner) : Exception(message, inner);
