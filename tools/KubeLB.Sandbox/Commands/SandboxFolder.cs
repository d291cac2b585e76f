using KubeLB.Runtime.CommandLine;
using KubeLB.Sandbox.Composition;

namespace KubeLB.Sandbox.Commands;

/// <summary>
/// The folder with what a sandbox leaves for its user: kubeconfigs, examples and logs. It belongs to one sandbox until it is disposed or
/// the process ends: the operating system frees the lock of a process that died.
/// </summary>
internal sealed class SandboxFolder : IDisposable
{
    private readonly FileStream _lock;

    private SandboxFolder(string path)
    {
        FullPath = path;
        _lock = new FileStream(
            Path.Combine(path, ".lock"),
            FileMode.OpenOrCreate,
            FileAccess.ReadWrite,
            FileShare.None,
            bufferSize: 1,
            FileOptions.DeleteOnClose
        );
    }

    /// <summary>The folder.</summary>
    public string FullPath { get; }

    /// <summary>Kubeconfig of the management cluster.</summary>
    public string ManagementKubeconfig => Path.Combine(FullPath, "management.kubeconfig");

    /// <summary>Makes the folder ready.</summary>
    /// <param name="path">The folder; null for a fresh one under the temporary files.</param>
    /// <exception cref="UsageException">The name is empty.</exception>
    /// <exception cref="IOException">It cannot be created or written to, or another sandbox uses it.</exception>
    public static SandboxFolder Open(string? path)
    {
        if (path is null)
        {
            return new SandboxFolder(Directory.CreateTempSubdirectory("kubelb-sandbox-").FullName);
        }

        if (string.IsNullOrWhiteSpace(path))
        {
            throw new UsageException("--dir must name a folder; without it, a fresh one under the temporary files is taken.");
        }

        var full = Path.GetFullPath(path);
        try
        {
            Directory.CreateDirectory(full);
            var probe = Path.Combine(full, $".probe-{Environment.ProcessId}");
            File.WriteAllText(probe, "");
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"The folder {full} cannot be written to ({e.Message}); choose another one with --dir.", e);
        }

        try
        {
            return new SandboxFolder(full);
        }
        catch (IOException e)
        {
            throw new IOException($"Another sandbox uses the folder {full}; stop it, or choose another folder with --dir.", e);
        }
    }

    /// <summary>Lets others have the folder.</summary>
    public void Dispose() => _lock.Dispose();

    /// <summary>Removes the folder with all that is in it.</summary>
    public void Delete()
    {
        Dispose();
        Directory.Delete(FullPath, recursive: true);
    }

    /// <summary>Kubeconfig of a tenant's cluster.</summary>
    /// <param name="index">0 for the first tenant.</param>
    public string TenantKubeconfig(int index) =>
        Path.Combine(FullPath, index == 0 ? "tenant.kubeconfig" : $"tenant-{index + 1}.kubeconfig");

    /// <summary>Writes the kubeconfigs and examples of a running sandbox.</summary>
    public string Write(SandboxEnvironment sandbox)
    {
        WriteSecret(ManagementKubeconfig, sandbox.Management.KubeconfigYaml);
        for (var i = 0; i < sandbox.Tenants.Count; i++)
        {
            WriteSecret(TenantKubeconfig(i), sandbox.Tenants[i].Cluster.KubeconfigYaml);
        }

        var example = Path.Combine(FullPath, "basic-httproute.yaml");
        File.WriteAllText(example, Demo.DemoManifests.BasicHttpRoute);
        return example;
    }

    /// <summary>Writes a file that only its owner may read.</summary>
    public static void WriteSecret(string path, string content)
    {
        File.WriteAllText(path, "");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        File.WriteAllText(path, content);
    }
}
