using Serilog.Core;
using Serilog.Events;

namespace KubeLB.Runtime.Logging;

/// <summary>
/// Joins the scope of a reconcile into one short property, <c>[controller namespace/name]</c>, for the text form of the log.
/// </summary>
internal sealed class ReconcileScopeEnricher : ILogEventEnricher
{
    public void Enrich(LogEvent logEvent, ILogEventPropertyFactory propertyFactory)
    {
        if (Text(logEvent, "Controller") is not { Length: > 0 } controller || Text(logEvent, "Name") is not { Length: > 0 } name)
        {
            return;
        }

        var ns = Text(logEvent, "Namespace");
        var key = string.IsNullOrEmpty(ns) ? name : $"{ns}/{name}";
        logEvent.AddOrUpdateProperty(propertyFactory.CreateProperty("Reconciling", $"[{controller} {key}]"));
    }

    private static string? Text(LogEvent logEvent, string property) =>
        logEvent.Properties.TryGetValue(property, out var value) && value is ScalarValue { Value: string text } ? text : null;
}
