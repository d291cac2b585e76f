using KubeLB.Api;
using KubeLB.Translation.Events;

namespace KubeLB.Translation.Tests.Events;

/// <summary>Conditions and Events as a table writes them.</summary>
internal static class Conditions
{
    /// <summary>Reads <c>Type=Status Reason Message;…</c>.</summary>
    public static List<Condition> Of(string text) =>
        [
            .. text.Split(';', StringSplitOptions.RemoveEmptyEntries)
                .Select(one =>
                {
                    var parts = one.Split(' ', 3);
                    var (type, status) = (parts[0].Split('=')[0], parts[0].Split('=')[1]);
                    return new Condition
                    {
                        Type = type,
                        Status = status,
                        Reason = parts[1],
                        Message = parts[2],
                        ObservedGeneration = 1,
                    };
                }),
        ];

    public static string Text(IEnumerable<StatusEvent> events) =>
        string.Join("\n", events.Select(e => $"{(e.IsWarning ? "Warning" : "Normal")} {e.Reason} {e.Message}"));
}
