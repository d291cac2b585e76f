using KubeLB.Tests.Shared;

namespace KubeLB.Charts.Tests.Support;

/// <summary>The charts, and their output from Helm.</summary>
internal static class Chart
{
    public const string Manager = "kubelb-manager";
    public const string Ccm = "kubelb-ccm";

    public static IReadOnlyList<string> Names { get; } = [Manager, Ccm];

    public static string FolderOf(string chart) => Path.Combine(SourceTree.Root, "charts", chart);

    /// <summary>Values that every installation of the chart must set.</summary>
    public static string[] Required(string chart) => chart == Ccm ? ["--set", "kubelb.tenantName=shop"] : [];

    /// <summary>Renders a chart as <c>helm install</c> would, in namespace <c>kubelb</c> under the chart's own name.</summary>
    public static async Task<string> RenderAsync(string chart, params string[] arguments)
    {
        using var helm = new HelmBinary();
        return (await helm.OkAsync(["template", chart, FolderOf(chart), "--namespace", "kubelb", .. arguments])).Text;
    }

    /// <summary>The notes that <c>helm install</c> prints; no cluster is contacted.</summary>
    public static async Task<string> NotesAsync(string chart, params string[] arguments)
    {
        using var helm = new HelmBinary();
        var text = (
            await helm.OkAsync(["install", chart, FolderOf(chart), "--namespace", "kubelb", "--dry-run=client", .. arguments])
        ).Text;
        return text[text.IndexOf("\nNOTES:\n", StringComparison.Ordinal)..];
    }
}
