using KubeLB.Runtime.CommandLine;
using KubeLB.Sandbox.Composition;

namespace KubeLB.Sandbox.Commands;

/// <summary>
/// The directory with the kubeconfigs, examples and logs of a sandbox. It is locked by one sandbox until it is disposed or the process
/// ends: the operating system releases the lock of a terminated process.
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

    /// <summary>The directory.</summary>
    public string FullPath { get; }

    /// <summary>Kubeconfig of the management cluster.</summary>
    public string ManagementKubeconfig => Path.Combine(FullPath, "management.kubeconfig");

    /// <summary>Creates and locks the directory.</summary>
    /// <param name="path">The directory; null for a new temporary directory.</param>
    /// <exception cref="UsageException">The path is empty.</exception>
    /// <exception cref="IOException">The directory is not writable, or another sandbox uses it.</exception>
    public static SandboxFolder Open(string? path)
    {
        if (path is null)
        {
            return new SandboxFolder(Directory.CreateTempSubdirectory("kubelb-").FullName);
        }

        if (string.IsNullOrWhiteSpace(path))
        {
            throw new UsageException("--dir requires a directory. Omit it to use a new temporary directory.");
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
            throw new IOException($"Cannot write to directory {full} ({e.Message}); choose another directory with --dir.", e);
        }

        try
        {
            return new SandboxFolder(full);
        }
        catch (IOException e)
        {
            throw new IOException($"Another sandbox uses directory {full}; stop it, or choose another directory with --dir.", e);
        }
    }

    /// <summary>Releases the lock.</summary>
    public void Dispose() => _lock.Dispose();

    /// <summary>Removes the directory with its content.</summary>
    public void Delete()
    {
        Dispose();
        Directory.Delete(FullPath, recursive: true);
    }

    /// <summary>Kubeconfig of a tenant's cluster.</summary>
    /// <param name="index">Index of the tenant.</param>
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

    /// <summary>Writes a file with mode 0600.</summary>
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
