using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace KubeLB.Tests.Shared;

/// <summary>What a container engine reads from an image.</summary>
/// <param name="App">Folder with the files of <c>/app</c>.</param>
/// <param name="Entrypoint">The image's entry point.</param>
/// <param name="User">The image's user and group.</param>
/// <param name="Environment">The image's variables.</param>
/// <param name="HasRuntime">Whether the base image holds the .NET runtime.</param>
internal sealed record ImageContent(
    string App,
    IReadOnlyList<string> Entrypoint,
    int User,
    IReadOnlyDictionary<string, string> Environment,
    bool HasRuntime
);

/// <summary>What a pod adds to an image.</summary>
internal sealed record ContainerSettings
{
    /// <summary>Folders of this machine by the path where the container sees them, read-only.</summary>
    public IReadOnlyDictionary<string, string> Mounts { get; init; } = new Dictionary<string, string>();

    /// <summary>Variables beside those of the image.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();

    /// <summary>Name of a network namespace (<c>ip netns</c>); null for the network of this machine.</summary>
    public string? NetworkNamespace { get; init; }
}

/// <summary>
/// Runs an image as a container engine does, without one: in a root file system of its own that holds <c>/app</c>, libraries, the .NET
/// runtime if the base image has it, <c>/proc</c> and four devices, and is read-only. There is no shell in it, no <c>/tmp</c> and no home
/// folder. The libraries are those of this machine, not of the base image. The network is that of this machine, or a network namespace.
/// </summary>
internal sealed class ImageProcess : IAsyncDisposable
{
    // $1: the root's mount point; $2: /app; $3: further mounts, FOLDER:PATH, separated by spaces; $4: folder of the .NET runtime, or
    // nothing; $5: files to write the process id to, separated by spaces; then the variables and the command.
    private const string Script = """
        root=$1 app=$2 mounts=$3 runtime=$4 groups=$5
        shift 5
        for group in $groups; do echo $$ > "$group"; done
        mount -t tmpfs -o mode=755 tmpfs "$root"
        share() { mkdir -p "$root$2"; mount --bind "$1" "$root$2"; mount -o remount,bind,ro "$root$2"; }
        share "$app" /app
        for mount in $mounts; do share "${mount%%:*}" "${mount#*:}"; done
        share /usr/lib /usr/lib
        [ -d /usr/lib64 ] && share /usr/lib64 /usr/lib64
        ln -s usr/lib "$root/lib"
        [ -d "$root/usr/lib64" ] && ln -s usr/lib64 "$root/lib64" || share /lib64 /lib64
        mkdir -p "$root/usr/bin" "$root/proc" "$root/dev"
        if [ -n "$runtime" ]; then share "$runtime" /usr/share/dotnet; ln -s ../share/dotnet/dotnet "$root/usr/bin/dotnet"; fi
        mount --rbind /proc "$root/proc"
        if [ -d /sys/fs/cgroup ]; then mkdir -p "$root/sys/fs/cgroup"; mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"; fi
        for device in null zero random urandom; do : > "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
        mount -o remount,ro "$root"
        exec env -i PATH=/usr/bin "$@"
        """;

    private readonly Process _process;
    private readonly string _root;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();

    private ImageProcess(Process process, string root)
    {
        _process = process;
        _root = root;
        process.OutputDataReceived += (_, line) => Append(_output, line.Data);
        process.ErrorDataReceived += (_, line) => Append(_error, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Why no image can be run on this machine; null if one can.</summary>
    public static string? Missing { get; } =
        !OperatingSystem.IsLinux() ? "an image runs on Linux only"
        : !System.Environment.IsPrivilegedProcess ? "a root file system and a user of its own need root"
        : Try("unshare", "--mount", "--propagation", "private", "mount", "-t", "tmpfs", "tmpfs", "/mnt") is { } failed
            ? $"mount namespaces do not work: {failed}"
        : Try("setpriv", "--version") is { } absent ? $"setpriv does not work: {absent}"
        : null;

    /// <summary>The process, for its memory and times.</summary>
    public int Id => _process.Id;

    /// <summary>The exit code; null while it runs.</summary>
    public int? ExitCode => _process.HasExited ? _process.ExitCode : null;

    /// <summary>What it wrote to standard output.</summary>
    public string Output => Text(_output);

    /// <summary>What it wrote to standard error.</summary>
    public string Error => Text(_error);

    /// <summary>Starts a container in the network of this machine.</summary>
    /// <param name="image">The image.</param>
    /// <param name="kubeconfigs">Folder that the container sees as <c>/kubeconfigs</c>, read-only.</param>
    /// <param name="limits">Limits of processor time and memory; null for none.</param>
    /// <param name="arguments">Arguments after the entry point.</param>
    public static ImageProcess Start(ImageContent image, string kubeconfigs, ResourceLimits? limits, params string[] arguments) =>
        Start(
            image,
            new ContainerSettings { Mounts = new Dictionary<string, string> { ["/kubeconfigs"] = kubeconfigs } },
            limits,
            arguments
        );

    /// <summary>Starts a container.</summary>
    /// <param name="image">The image.</param>
    /// <param name="settings">What a pod adds to the image.</param>
    /// <param name="limits">Limits of processor time and memory; null for none.</param>
    /// <param name="arguments">Arguments after the entry point.</param>
    public static ImageProcess Start(ImageContent image, ContainerSettings settings, ResourceLimits? limits, params string[] arguments)
    {
        var root = Directory.CreateTempSubdirectory("kubelb-root-").FullName;
        var user = image.User.ToString(CultureInfo.InvariantCulture);
        var start = new ProcessStartInfo(settings.NetworkNamespace is null ? "unshare" : "nsenter")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        var variables = image
            .Environment.Concat(settings.Variables)
            .Concat(limits?.Environment ?? new Dictionary<string, string>())
            .GroupBy(v => v.Key)
            .Select(v => $"{v.Key}={v.Last().Value}");
        string[] command =
        [
            .. settings.NetworkNamespace is { } network ? [$"--net=/run/netns/{network}", "unshare"] : Array.Empty<string>(),
            "--mount",
            "--propagation",
            "private",
            "/bin/sh",
            "-euc",
            Script,
            "sh",
            root,
            image.App,
            string.Join(' ', settings.Mounts.Select(m => $"{m.Value}:{m.Key}")),
            image.HasRuntime ? RuntimeFolder() : "",
            string.Join(' ', limits?.ProcessFiles ?? []),
            .. variables,
            "/usr/bin/setpriv",
            "--no-new-privs",
            "/usr/bin/unshare",
            $"--root={root}",
            "--wd=/app",
            $"--setgid={user}",
            $"--setuid={user}",
            .. image.Entrypoint,
            .. arguments,
        ];
        foreach (var word in command)
        {
            start.ArgumentList.Add(word);
        }

        var process = Process.Start(start) ?? throw new InvalidOperationException("unshare did not start.");
        process.StandardInput.Close();
        return new ImageProcess(process, root);
    }

    /// <summary>Waits until it has ended by itself.</summary>
    public async Task EndAsync(TimeSpan timeout)
    {
        using var deadline = new CancellationTokenSource(timeout);
        await _process.WaitForExitAsync(deadline.Token);
    }

    /// <summary>Asks it to end, as a container engine does.</summary>
    public void Terminate() => Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)])!.WaitForExit();

    /// <summary>Kills the process if it runs, and removes its root folder.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_root);
    }

    /// <summary>The folder of this machine's .NET.</summary>
    public static string RuntimeFolder() =>
        Path.GetDirectoryName(Path.GetDirectoryName(Path.GetDirectoryName(Path.GetDirectoryName(typeof(object).Assembly.Location))))!
        ?? throw new InvalidOperationException("The folder of the .NET runtime is not known.");

    private static string? Try(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true }
            )!;
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? null : error.Trim();
        }
        catch (Win32Exception e)
        {
            return e.Message;
        }
    }

    private static void Append(StringBuilder text, string? line)
    {
        if (line is not null)
        {
            lock (text)
            {
                text.Append(line).Append('\n');
            }
        }
    }

    private static string Text(StringBuilder text)
    {
        lock (text)
        {
            return text.ToString();
        }
    }
}
