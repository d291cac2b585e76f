namespace KubeLB.Tests.Shared;

/// <summary>
/// A folder of cases: every <c>case.in.yaml</c> is an input, and <c>case.out.yaml</c> its expected output.
/// <c>KUBELB_UPDATE_GOLDEN=1 dotnet test tests/PROJECT</c> rewrites the outputs and removes orphans.
/// </summary>
/// <param name="project">The project in whose <c>testdata</c> they are.</param>
/// <param name="inputs">Folder of the cases.</param>
/// <param name="outputs">Folder of the outputs.</param>
/// <param name="inputSuffix">How the name of a case's file ends.</param>
internal sealed class GoldenFolder(string project, string inputs, string outputs, string inputSuffix = GoldenFolder.In)
{
    public const string In = ".in.yaml";
    public const string Out = ".out.yaml";

    /// <summary>Whether outputs are written instead of compared.</summary>
    public static bool Update { get; } = Environment.GetEnvironmentVariable("KUBELB_UPDATE_GOLDEN") == "1";

    private readonly string _howToWrite = $"write it with: KUBELB_UPDATE_GOLDEN=1 dotnet test tests/{project}";
    private readonly string _inputs = Path.Combine(SourceTree.Root, "tests", project, "testdata", inputs);
    private readonly string _outputs = Path.Combine(SourceTree.Root, "tests", project, "testdata", outputs);

    public IReadOnlyList<string> Cases() =>
        [
            .. Directory
                .GetFiles(_inputs, "*" + inputSuffix)
                .Select(f => Path.GetFileName(f)[..^inputSuffix.Length])
                .Order(StringComparer.Ordinal),
        ];

    public string Input(string name) => File.ReadAllText(Path.Combine(_inputs, name + inputSuffix));

    /// <summary>The recorded output; empty if there is none, which <see cref="Check"/> compares.</summary>
    public string Output(string name) => Path.Combine(_outputs, name + Out) is var file && File.Exists(file) ? File.ReadAllText(file) : "";

    /// <summary>Compares an output with its file; an empty output has none.</summary>
    public void Check(string name, string output)
    {
        var file = Path.Combine(_outputs, name + Out);
        if (output.Length == 0)
        {
            if (Update)
            {
                File.Delete(file);
            }

            File.Exists(file).Should().BeFalse($"there is no output; {_howToWrite}");
            return;
        }

        if (Update)
        {
            Directory.CreateDirectory(_outputs);
            File.WriteAllText(file, output);
            return;
        }

        File.Exists(file).Should().BeTrue($"{file} is missing; {_howToWrite}");
        output.Should().Be(File.ReadAllText(file), $"{file} differs; if the change is intended, {_howToWrite}");
    }

    public void CheckOrphans()
    {
        var cases = Cases().ToHashSet(StringComparer.Ordinal);
        var orphans = Directory.GetFiles(_outputs, "*" + Out).Where(f => !cases.Contains(Path.GetFileName(f)[..^Out.Length])).ToList();
        if (Update)
        {
            orphans.ForEach(File.Delete);
            return;
        }

        orphans.Should().BeEmpty("every output belongs to an input");
        Directory
            .GetFiles(_outputs)
            .Should()
            .OnlyContain(f => f.EndsWith(Out, StringComparison.Ordinal) || f.EndsWith(In, StringComparison.Ordinal));
    }
}
