using System.Globalization;

namespace KubeLB.Tests.Shared;

/// <summary>Limits of a container's processor time and memory, set by control groups where this process may make them.</summary>
internal sealed class ResourceLimits : IDisposable
{
    private const string Root = "/sys/fs/cgroup";
    private const int PeriodMicroseconds = 100_000;

    private readonly List<string> _groups = [];

    private ResourceLimits(string description) => Description = description;

    /// <summary>The applied limits, for the output of a test.</summary>
    public string Description { get; }

    /// <summary>Files that a process writes its id to in order to be limited.</summary>
    public IEnumerable<string> ProcessFiles => _groups.Select(g => Path.Combine(g, "cgroup.procs"));

    /// <summary>Variables that stand for the limits where there are no control groups; empty where there are.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; private init; } = new Dictionary<string, string>();

    /// <summary>Sets limits, for any number of processes in turn.</summary>
    /// <param name="millicores">Processor time in thousandths of a core.</param>
    /// <param name="bytes">Memory.</param>
    public static ResourceLimits Create(int millicores, long bytes)
    {
        var name = $"kubelb-{Guid.NewGuid():N}";
        var quota = (millicores * PeriodMicroseconds / 1000).ToString(CultureInfo.InvariantCulture);
        var memory = bytes.ToString(CultureInfo.InvariantCulture);
        var size = $"{millicores}m CPU, {bytes >> 20} MiB";
        try
        {
            if (File.Exists($"{Root}/cgroup.controllers"))
            {
                File.WriteAllText($"{Root}/cgroup.subtree_control", "+cpu +memory");
                var limits = new ResourceLimits($"{size} by cgroup v2");
                limits.Add($"{Root}/{name}", ("memory.max", memory), ("cpu.max", $"{quota} {PeriodMicroseconds}"));
                return limits;
            }

            if (Directory.Exists($"{Root}/memory") && Directory.Exists($"{Root}/cpu"))
            {
                var limits = new ResourceLimits($"{size} by cgroup v1");
                limits.Add($"{Root}/memory/{name}", ("memory.limit_in_bytes", memory));
                limits.Add(
                    $"{Root}/cpu/{name}",
                    ("cpu.cfs_period_us", PeriodMicroseconds.ToString(CultureInfo.InvariantCulture)),
                    ("cpu.cfs_quota_us", quota)
                );
                return limits;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The settings below replace the limits that the runtime would read from control groups.
        }

        // Three quarters of the limit is what the runtime gives its heap in a container.
        return new ResourceLimits(
            $"one processor and a heap of {bytes * 3 / 4 >> 20} MiB by settings of the runtime: control groups cannot be made here"
        )
        {
            Environment = new Dictionary<string, string>
            {
                ["DOTNET_GCHeapHardLimit"] = (bytes * 3 / 4).ToString("x", CultureInfo.InvariantCulture),
                ["DOTNET_PROCESSOR_COUNT"] = "1",
            },
        };
    }

    /// <summary>Removes the control groups; their processes must have ended.</summary>
    public void Dispose() => _groups.ForEach(Directory.Delete);

    private void Add(string group, params (string File, string Value)[] settings)
    {
        Directory.CreateDirectory(group);
        _groups.Add(group);
        foreach (var (file, value) in settings)
        {
            File.WriteAllText(Path.Combine(group, file), value);
        }
    }
}
