using System.Text;
using k8s.Models;
using KubeLB.Translation.Proxies;

namespace KubeLB.Sandbox.Proxies.Processes;

/// <summary>
/// A mounted Secret as files, written like the kubelet does: the files are links through the link <c>..data</c>, which is replaced
/// atomically and watched by Envoy. Only the pod's user can read them. Not thread-safe.
/// </summary>
/// <param name="user">User of the pod; null for that of this process.</param>
internal sealed class SecretVolume(int? user) : IDisposable
{
    private const string Prefix = "kubelb-proxy-";
    private const string Current = "..data";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory($"{Prefix}{Environment.ProcessId}-");
    private string? _version;
    private int _number;

    /// <summary>The directory of the files.</summary>
    public string Path => _folder.FullName;

    /// <summary>Writes a Secret, unless it is unchanged.</summary>
    public async Task WriteAsync(V1Secret secret, CancellationToken cancellationToken)
    {
        if (_version == secret.Metadata.ResourceVersion)
        {
            return;
        }

        var version = $"..{++_number}";
        var folder = Directory.CreateDirectory(System.IO.Path.Combine(Path, version));
        foreach (var (name, content) in secret.Data ?? new Dictionary<string, byte[]>())
        {
            // Two of the files contain the mount path of the others.
            var text = Encoding.UTF8.GetString(content).Replace(ProxyCertificateFiles.Folder, Path, StringComparison.Ordinal);
            var file = System.IO.Path.Combine(folder.FullName, name);
            await File.WriteAllTextAsync(file, text, cancellationToken).ConfigureAwait(false);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(file, UnixFileMode.UserRead);
            }

            var link = System.IO.Path.Combine(Path, name);
            if (!IsLink(link))
            {
                File.CreateSymbolicLink(link, $"{Current}/{name}");
            }
        }

        if (user is { } id)
        {
            await ChildProcesses
                .ExpectAsync([ChildProcesses.Find("chown") ?? "chown", "-R", "-h", $"{id}:{id}", Path], cancellationToken)
                .ConfigureAwait(false);
        }

        // Atomic rename, which Envoy watches. File.Move would follow the link.
        var swap = System.IO.Path.Combine(Path, $"{Current}_tmp-{_number}");
        File.CreateSymbolicLink(swap, version);
        await ChildProcesses
            .ExpectAsync([ChildProcesses.Find("mv") ?? "mv", "-T", swap, System.IO.Path.Combine(Path, Current)], cancellationToken)
            .ConfigureAwait(false);
        if (_number > 1)
        {
            Directory.Delete(System.IO.Path.Combine(Path, $"..{_number - 1}"), recursive: true);
        }

        _version = secret.Metadata.ResourceVersion;
    }

    /// <summary>Removes the directories of killed sandboxes.</summary>
    public static void RemoveLeftovers()
    {
        foreach (var folder in Directory.GetDirectories(System.IO.Path.GetTempPath(), $"{Prefix}*-*"))
        {
            var id = System.IO.Path.GetFileName(folder)[Prefix.Length..].Split('-')[0];
            if (Directory.Exists("/proc/self") && !Directory.Exists($"/proc/{id}"))
            {
                try
                {
                    Directory.Delete(folder, recursive: true);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    // It belongs to another user, or another sandbox removes it concurrently.
                }
            }
        }
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static bool IsLink(string path) => new FileInfo(path).LinkTarget is not null;
}
