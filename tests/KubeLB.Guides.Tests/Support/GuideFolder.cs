using KubeLB.Tests.Shared;

namespace KubeLB.Guides.Tests.Support;

/// <summary>
/// A folder that looks like a clone of the repository, in which the commands of one page run, with the project's programs on PATH. What
/// commands write stays in it, except in the linked folders.
/// </summary>
public sealed class GuideFolder : IDisposable
{
    private static readonly string[] Links = ["charts", "deploy", "docs", "examples"];

    private static readonly string DotNet = (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, "dotnet"))
        .First(File.Exists);

    private readonly string _root = Directory.CreateTempSubdirectory("kubelb-guide-").FullName;

    /// <summary>Creates it.</summary>
    public GuideFolder()
    {
        foreach (var link in Links)
        {
            Directory.CreateSymbolicLink(Path.Combine(Clone, link), Path.Combine(SourceTree.Root, link));
        }

        Directory.CreateDirectory(Programs);
        Program("kubelb", "kubelb.dll");
        Program("kubelb-sandbox", "kubelb-sandbox.dll");
        if (HelmBinary.Location is { } helm)
        {
            File.CreateSymbolicLink(Path.Combine(Programs, "helm"), helm);
        }

        if (EnvoyBinary.Location is { } envoy)
        {
            File.CreateSymbolicLink(Path.Combine(Programs, "envoy"), envoy);
        }

        // The project is built already: a page's `dotnet run --project P -- ARGUMENTS` starts it.
        Script(
            "dotnet",
            $$"""
            case "$1 $2 $3" in
              "run --project tools/KubeLB.Sandbox") shift 3; [ "${1-}" = -- ] && shift; exec kubelb-sandbox "$@" ;;
              "run --project src/KubeLB.Cli") shift 3; [ "${1-}" = -- ] && shift; exec kubelb "$@" ;;
              "build src/KubeLB.Cli "*) exit 0 ;;
            esac
            exec {{DotNet}} "$@"
            """
        );
    }

    /// <summary>The clone, in which commands start.</summary>
    public string Clone => Directory.CreateDirectory(Path.Combine(_root, "clone")).FullName;

    /// <summary>Programs before those of PATH.</summary>
    public string Programs => Path.Combine(_root, "bin");

    /// <summary>Replaces <c>/tmp/kubelb</c> of the pages.</summary>
    public string Temporary => Path.Combine(_root, "tmp");

    /// <summary>State between the blocks of a page, and their scripts.</summary>
    public string State => Directory.CreateDirectory(Path.Combine(_root, "state")).FullName;

    /// <summary>Adds a program.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="text">Its script for bash.</param>
    public void Script(string name, string text)
    {
        var file = Path.Combine(Programs, name);
        // Not through a link to the real program.
        File.Delete(file);
        File.WriteAllText(file, $"#!/usr/bin/env bash\n{text}\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_root, recursive: true);

    private void Program(string name, string assembly) =>
        Script(name, $"exec {DotNet} {Path.Combine(AppContext.BaseDirectory, assembly)} \"$@\"");
}
