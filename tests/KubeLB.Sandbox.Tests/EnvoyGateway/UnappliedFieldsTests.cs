using System.Text.Json.Nodes;
using KubeLB.Sandbox.Demo;
using KubeLB.Sandbox.EnvoyGateway;

namespace KubeLB.Sandbox.Tests.EnvoyGateway;

/// <summary>Warnings about fields that the stand-in does not apply.</summary>
public sealed class UnappliedFieldsTests
{
    [Theory]
    [InlineData("Gateway", "{infrastructure: {labels: {a: b}}}", "spec.infrastructure")]
    [InlineData("Gateway", "{tls: {frontend: {default: {}}, backend: {}}}", "spec.tls.backend,spec.tls.frontend")]
    [InlineData(
        "Gateway",
        "{listeners: [{protocol: HTTPS, tls: {mode: Terminate}}, {tls: {options: {a: b}}}]}",
        "spec.listeners[1].tls.options"
    )]
    [InlineData("Gateway", "{listeners: [{protocol: HTTP}, {protocol: TCP}]}", "spec.listeners[1] of protocol TCP")]
    [InlineData("Gateway", "{addresses: [{value: 203.0.113.10}]}", "")]
    [InlineData("HTTPRoute", "{rules: [{retry: {attempts: 1}, sessionPersistence: {sessionName: s}}]}", "")]
    [InlineData("HTTPRoute", "{rules: [{}, {sessionPersistence: {idleTimeout: 1h}}]}", "spec.rules[1].sessionPersistence.idleTimeout")]
    [InlineData("BackendTrafficPolicy", "{targetRefs: [{kind: HTTPRoute, name: r}], retry: {numRetries: 1}}", "")]
    [InlineData(
        "BackendTrafficPolicy",
        "{circuitBreaker: {}, targetRefs: [{kind: HTTPRoute, sectionName: s}, {kind: Gateway}], retry: {numAttemptsPerPriority: 1}}",
        "spec.circuitBreaker,spec.retry.numAttemptsPerPriority,spec.targetRefs[0],spec.targetRefs[1]"
    )]
    [InlineData("Service", "{mergeType: x}", "")]
    public void Fields_without_effect_are_named(string kind, string spec, string fields) =>
        string.Join(
                ',',
                UnappliedFields
                    .Warnings(kind, (JsonObject)ManifestYaml.Read($"spec: {spec}")[0])
                    .Select(w => w[$"The sandbox stores {kind} ".Length..w.IndexOf(" but does", StringComparison.Ordinal)])
            )
            .Should()
            .Be(fields);
}
