using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd.Images;

/// <summary>
/// A Dockerfile of two stages whose steps are run without a container engine: <c>COPY</c> and <c>RUN</c> of the first in a folder that
/// stands for the image's, and the settings of the last as an <see cref="ImageContent"/>.
/// </summary>
internal sealed partial class Dockerfile
{
    private readonly List<List<(string Instruction, string Value)>> _stages = [];

    /// <summary>Reads one from the root of the repository.</summary>
    public Dockerfile(string name)
    {
        var text = Regex.Replace(File.ReadAllText(Path.Combine(SourceTree.Root, name)), @"^#.*\n", "", RegexOptions.Multiline);
        foreach (Match instruction in Instructions().Matches(Regex.Replace(text, @"\\\n\s*", " ")))
        {
            if (instruction.Groups[1].Value == "FROM")
            {
                _stages.Add([]);
            }

            _stages[^1].Add((instruction.Groups[1].Value, instruction.Groups[2].Value.Trim()));
        }
    }

    /// <summary>Values of an instruction in the last stage, which is the image.</summary>
    public IEnumerable<string> Image(string instruction) => _stages[^1].Where(i => i.Instruction == instruction).Select(i => i.Value);

    /// <summary>Values of an instruction in the first stage, which builds.</summary>
    public IEnumerable<string> Build(string instruction) => _stages[0].Where(i => i.Instruction == instruction).Select(i => i.Value);

    /// <summary>Runs the steps of the first stage.</summary>
    /// <param name="root">Folder that stands for the root of the stage's file system.</param>
    /// <param name="arguments">Build arguments; those without one have the value that the file gives.</param>
    public async Task RunAsync(string root, IReadOnlyDictionary<string, string> arguments)
    {
        var ignored = new DockerIgnore();
        var directory = root;
        var variables = new Dictionary<string, string>();
        foreach (var (instruction, value) in _stages[0])
        {
            switch (instruction)
            {
                case "FROM":
                    break;
                case "WORKDIR":
                    directory = Directory.CreateDirectory(root + value).FullName;
                    break;
                case "ARG":
                    var (name, defaultValue) = value.Split('=', 2) is [var n, var v] ? (n, v) : (value, "");
                    variables[name] = arguments.TryGetValue(name, out var argument) ? argument : defaultValue;
                    break;
                case "COPY":
                    Copy(value.Split(' '), directory, ignored);
                    break;
                case "RUN":
                    await RunAsync(value.Replace("--output /", $"--output {root}/", StringComparison.Ordinal), directory, variables);
                    break;
                default:
                    throw new InvalidOperationException($"{instruction} in the stage that builds is not run by this test: {value}");
            }
        }
    }

    /// <summary>What a container engine would run.</summary>
    /// <param name="root">The folder of <see cref="RunAsync(string, IReadOnlyDictionary{string, string})"/>.</param>
    public ImageContent Content(string root)
    {
        var copied = Image("COPY").Single().Split(' ');
        copied.Should().HaveCount(3).And.StartWith("--from=build").And.EndWith(".", "the image holds the publish output and nothing else");
        Image("WORKDIR").Single().Should().Be("/app", "the container of this test has its files there");
        var user = Image("USER").Single();
        user.Should().MatchRegex("^[1-9][0-9]*:[1-9][0-9]*$", "Kubernetes can tell from a number only that the user is not root");
        user.Split(':').Distinct().Should().ContainSingle("the container of this test has one id for both");
        return new ImageContent(
            root + copied[1],
            JsonSerializer.Deserialize<string[]>(Image("ENTRYPOINT").Single())!,
            int.Parse(user.Split(':')[0]),
            Image("ENV")
                .SelectMany(e => e.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Select(e => e.Split('=', 2))
                .ToDictionary(e => e[0], e => e[1]),
            HasRuntime: !Image("FROM").Single().Contains("/runtime-deps:", StringComparison.Ordinal)
        );
    }

    private static void Copy(string[] words, string directory, DockerIgnore ignored)
    {
        var target = Path.Combine(directory, words[^1]);
        foreach (var source in words[..^1])
        {
            var path = Path.Combine(SourceTree.Root, source);
            var folder = Directory.Exists(path);
            var files = (folder ? Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories) : [path])
                .Where(f => !ignored.Matches(Path.GetRelativePath(SourceTree.Root, f)))
                .ToList();
            files.Should().NotBeEmpty($"COPY {source} has nothing to copy: it does not exist, or .dockerignore excludes it");
            foreach (var file in files)
            {
                var copy = Path.Combine(target, Path.GetRelativePath(folder ? path : Path.GetDirectoryName(path)!, file));
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(file, copy, overwrite: true);
            }
        }
    }

    private static async Task RunAsync(string command, string directory, Dictionary<string, string> variables)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", command])
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in variables)
        {
            start.Environment[name] = value;
        }

        // Eleven projects are compiled: one compiler process for all takes half the time.
        start.Environment["UseSharedCompilation"] = "true";
        // A node of MSBuild that is reused would hold the output of this process open.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        using var process = Process.Start(start)!;
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(10));
        var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
        var error = process.StandardError.ReadToEndAsync(deadline.Token);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
            process.ExitCode.Should().Be(0, $"RUN {command} must succeed:\n{await output}\n{await error}");
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    [GeneratedRegex(@"^([A-Z]+) (.+)$", RegexOptions.Multiline)]
    private static partial Regex Instructions();
}
