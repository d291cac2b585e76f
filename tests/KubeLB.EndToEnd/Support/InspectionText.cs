using System.Text.RegularExpressions;
using KubeLB.Cli.Rendering;
using KubeLB.Inspection.Access;
using KubeLB.Inspection.Overview;
using KubeLB.Inspection.Tracing;
using Microsoft.Extensions.Time.Testing;

namespace KubeLB.EndToEnd.Support;

/// <summary>What <c>kubelb</c> prints about clusters, without what varies: ages, addresses, ports and UIDs.</summary>
internal static partial class InspectionText
{
    // Old enough that nothing new is expected.
    private static DateTimeOffset Now => DateTimeOffset.UtcNow.AddMinutes(1);

    /// <summary>The traces of a target.</summary>
    public static Task<IReadOnlyList<Trace>> TraceAsync(
        ClusterConnections clusters,
        TraceTarget target,
        Func<IObjects, IObjects>? tenant = null,
        Func<IObjects, IObjects>? management = null
    ) =>
        clusters.EvaluateAsync(
            (t, m) => new PathTracer(tenant?.Invoke(t) ?? t, management?.Invoke(m) ?? m, new TraceSettings(), Now).Trace(target),
            default
        );

    /// <summary>What <c>kubelb trace</c> prints.</summary>
    public static async Task<string> OfAsync(IReadOnlyList<Trace> traces)
    {
        await using var text = new StringWriter();
        await new TraceOutput(text, "tree", new FakeTimeProvider(DateTimeOffset.UtcNow)).WriteAsync(traces);
        return WithoutVarying(text.ToString());
    }

    /// <summary>What <c>kubelb status</c> prints.</summary>
    public static async Task<string> StatusAsync(ClusterConnections clusters, Func<IObjects, IObjects>? management = null)
    {
        var now = DateTimeOffset.UtcNow;
        var status = await clusters.EvaluateAsync((_, m) => InstallationStatus.Read(management?.Invoke(m) ?? m, "kubelb", now), default);
        await using var text = new StringWriter();
        StatusOutput.Write(CommandOutput.Console(text), status, now);
        // The widths of columns vary with their values.
        return WithoutVarying(Columns().Replace(text.ToString(), " "));
    }

    private static string WithoutVarying(string text) =>
        Varying().Replace(text, m => m.Groups["prefix"].Value + "X").ReplaceLineEndings("\n");

    [GeneratedRegex(
        @"(?<= )[0-9]+[smhd]\b|127\.[0-9]+\.[0-9]+\.[0-9]+|(?<prefix>proxy port )[0-9]+|[0-9]{5}(?= of Service)|[0-9a-f]{8}-[0-9a-f-]{27}"
            + @"|20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z|v?[0-9]+\.[0-9]+\.[0-9]+-[0-9A-Za-z.+-]+|(?<prefix>Manager )\S+(?=\n)",
        RegexOptions.ExplicitCapture
    )]
    private static partial Regex Varying();

    [GeneratedRegex("(?<=\\S) {2,}")]
    private static partial Regex Columns();
}
