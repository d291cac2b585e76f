using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace KubeLB.Xds.Tests.Faults;

/// <summary>Warnings and errors, and the categories that log exceptions.</summary>
internal sealed class ErrorLog : ILoggerProvider
{
    public ConcurrentQueue<string> Errors { get; } = [];

    public ConcurrentQueue<string> CategoriesOfExceptions { get; } = [];

    /// <summary>All entries of level Information and above.</summary>
    public ConcurrentQueue<string> Lines { get; } = [];

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose() { }

    private sealed class Logger(ErrorLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            if (IsEnabled(logLevel))
            {
                log.Lines.Enqueue($"{category}: {formatter(state, exception)}");
            }

            if (logLevel >= LogLevel.Warning)
            {
                log.Errors.Enqueue($"{category}: {formatter(state, exception)} {exception}");
            }

            if (IsEnabled(logLevel) && exception is not null)
            {
                log.CategoriesOfExceptions.Enqueue(category);
            }
        }
    }
}
