using System.Globalization;
using KubeLB.Api.Messages;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Composition;

/// <summary>Logging of the sandbox components: each to its own file, and to the providers of the options.</summary>
internal sealed class ComponentLogging(SandboxOptions options) : IAsyncDisposable
{
    private readonly Dictionary<string, LogFile> _files = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    /// <summary>Configures the logging of a sandbox component.</summary>
    public Action<ILoggingBuilder> Of(string component)
    {
        var configure = AtLevel(component);
        return logging => configure(logging, options.LogLevel);
    }

    /// <summary>Replaces the logging of a controller, which writes to the console by default.</summary>
    /// <returns>Configures the services of a host, with its minimum level.</returns>
    public Action<IServiceCollection, LogLevel> Replacing(string component)
    {
        var configure = AtLevel(component);
        return (services, level) =>
        {
            services.RemoveAll<ILoggerFactory>();
            services.RemoveAll<ILoggerProvider>();
            services.AddLogging(logging => configure(logging, level));
        };
    }

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

    private Action<ILoggingBuilder, LogLevel> AtLevel(string component)
    {
        var file = Open(component);
        return (logging, level) =>
        {
            logging
                .SetMinimumLevel(level)
                .AddFilter("Microsoft", LogLevel.Warning)
                .AddFilter("System", LogLevel.Warning)
                .AddFilter("Grpc", LogLevel.Warning);
            if (file is not null)
            {
                logging.AddProvider(file);
            }

            options.Logging?.Invoke(logging);
        };
    }

    private LogFile? Open(string component)
    {
        if (options.LogDirectory is not { } directory)
        {
            return null;
        }

        // Several hosts can belong to one component and must share its file.
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

/// <summary>A log file with one line per event. It is shared by all hosts of a component, also across restarts.</summary>
internal sealed class LogFile(string path) : ILoggerProvider
{
    private readonly Lock _gate = new();
    private readonly StreamWriter _writer = new(path, append: true) { AutoFlush = true };
    private bool _closed;

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName[(categoryName.LastIndexOf('.') + 1)..]);

    /// <summary>Hosts dispose their providers; the file stays open for the next host.</summary>
    public void Dispose() { }

    /// <summary>Closes the file.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            _writer.Dispose();
        }
    }

    private void Write(string line)
    {
        lock (_gate)
        {
            if (!_closed)
            {
                _writer.WriteLine(line);
            }
        }
    }

    private sealed class Logger(LogFile file, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            var time = DateTimeOffset.UtcNow.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);
            var level = logLevel.ToString().ToUpperInvariant();
            var cause = exception is null ? "" : $" {MessageText.EscapeLines(exception.ToString())}";
            var message = MessageText.Escape(formatter(state, exception));
            file.Write($"{time} {level[..Math.Min(4, level.Length)]} {category}: {message}{cause}");
        }
    }
}
