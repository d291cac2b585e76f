using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Composition;

/// <summary>Where the components of a sandbox log: each to a file of its own, and to what the options add.</summary>
internal sealed class ComponentLogging(SandboxOptions options) : IAsyncDisposable
{
    private readonly Dictionary<string, LogFile> _files = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    /// <summary>The log set-up of a component of ours.</summary>
    public Action<ILoggingBuilder> Of(string component)
    {
        var file = Open(component);
        return logging =>
        {
            logging.SetMinimumLevel(options.LogLevel).AddFilter("Microsoft", LogLevel.Warning).AddFilter("System", LogLevel.Warning);
            if (file is not null)
            {
                logging.AddProvider(file);
            }

            options.Logging?.Invoke(logging);
        };
    }

    /// <summary>Replaces the log set-up of a controller, which would write to the console.</summary>
    public Action<IServiceCollection> Replacing(string component)
    {
        var configure = Of(component);
        return services =>
        {
            services.RemoveAll<ILoggerFactory>();
            services.RemoveAll<ILoggerProvider>();
            services.AddLogging(configure);
        };
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            foreach (var file in _files.Values)
            {
                file.Close();
            }
        }

        return ValueTask.CompletedTask;
    }

    private LogFile? Open(string component)
    {
        if (options.LogDirectory is not { } directory)
        {
            return null;
        }

        // Several hosts may be of one component: two files of one name would write over each other.
        lock (_gate)
        {
            if (!_files.TryGetValue(component, out var file))
            {
                _files[component] = file = new LogFile(Path.Combine(directory, component + ".log"));
            }

            return file;
        }
    }
}
