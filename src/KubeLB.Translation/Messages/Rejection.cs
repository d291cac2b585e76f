namespace KubeLB.Translation.Messages;

/// <summary>Why an object, or a part of it, is rejected.</summary>
/// <param name="Reason">The reason of the condition.</param>
/// <param name="Message">The message of the condition: what is wrong and how to correct it.</param>
public sealed record Rejection(string Reason, string Message);
