namespace KubeLB.Runtime.LeaderElection;

/// <summary>A write was not sent because this process may not lead any more. What it was about is tried again if it leads again.</summary>
public sealed class LeaseExpiredException(string message) : Exception(message);
