namespace KubeLB.Runtime.CommandLine;

/// <summary>A command line that parses, but asks for what cannot be; the message is one sentence that says what to change.</summary>
public sealed class UsageException(string message) : Exception(message);
