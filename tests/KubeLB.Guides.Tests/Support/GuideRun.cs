using System.Diagnostics;

namespace KubeLB.Guides.Tests.Support;

/// <summary>Runs all command blocks of a page from top to bottom.</summary>
public static class GuideRun
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    /// <summary>Runs it.</summary>
    /// <param name="page">The page.</param>
    /// <param name="shell">The shell.</param>
    /// <returns>The number of blocks that ran.</returns>
    /// <exception cref="GuideException">A command failed, or printed something else than the page shows.</exception>
    public static async Task<int> RunAsync(GuidePage page, GuideShell shell)
    {
        var ran = 0;
        for (var i = 0; i < page.Blocks.Count; i++)
        {
            var block = page.Blocks[i];
            if (!block.IsRun)
            {
                continue;
            }

            ran++;
            var shown = i + 1 < page.Blocks.Count && page.Blocks[i + 1].IsOutput ? page.Blocks[i + 1].Text : null;
            const string Background = "background: ";
            if (block.Directive?.StartsWith(Background, StringComparison.Ordinal) == true)
            {
                await shell.StartAsync(block, block.Directive[Background.Length..]);
                continue;
            }

            var problem = await RunAsync(block, shown, shell);
            if (problem is not null)
            {
                throw new GuideException($"{block}: {problem}\n{block.Text}");
            }
        }

        return ran;
    }

    private static async Task<string?> RunAsync(GuideBlock block, string? shown, GuideShell shell)
    {
        var fails = block.Directive == "fails";
        var repeats = shown is not null || block.Directive == "retry";
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var result = await shell.RunAsync(block);
            var problem =
                result.ExitCode == 0 == fails ? $"expected {(fails ? "an error" : "success")}, {result}"
                : shown is null ? null
                : ShownOutput.Difference(shown, fails ? result.Output + result.Errors : result.Output);
            if (problem is null || !repeats || watch.Elapsed > Deadline)
            {
                return problem;
            }

            await Task.Delay(Interval);
        }
    }
}

/// <summary>A page says something that is not so.</summary>
public sealed class GuideException(string message) : Exception(message);
