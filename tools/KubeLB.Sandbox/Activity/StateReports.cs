using System.Collections.Concurrent;
using k8s;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Messages;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Controllers;
using KubeLB.Runtime.Hosting;
using KubeLB.Runtime.Storing;
using KubeLB.Sandbox.Composition;
using KubeLB.Sandbox.EnvoyGateway;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeLB.Sandbox.Activity;

/// <summary>Reports each change of state of the Gateways and routes in a tenant's cluster.</summary>
internal static class StateReports
{
    private const string Cluster = "tenant";

    /// <summary>Builds the host.</summary>
    /// <param name="tenant">The tenant's cluster.</param>
    /// <param name="sandbox">Resolves the ports of Gateways.</param>
    /// <param name="report">Receives a line for each change.</param>
    /// <param name="logging">Adds log providers.</param>
    public static IHost Build(ISandboxCluster tenant, SandboxEnvironment sandbox, Action<string> report, Action<ILoggingBuilder> logging)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        logging(builder.Logging);
        var services = builder.Services;
        services.AddKubeRuntime(o => o.Component = "sandbox_states");
        services.AddCluster(
            Cluster,
            _ => tenant.CreateClient("kubelb-sandbox"),
            c =>
            {
                c.Informer<Gateway>();
                c.Informer<HttpRoute>(IndexParents);
                c.Informer<GrpcRoute>(IndexParents);
            }
        );
        AddReports<Gateway>(services, "gateway", report, (gateway, _) => ObjectState.Of(gateway));
        AddRoutes<HttpRoute>(services, "httproute", sandbox, report);
        AddRoutes<GrpcRoute>(services, "grpcroute", sandbox, report);
        return builder.Build();
    }

    private static void IndexParents<T>(InformerBuilder<T> routes)
        where T : class, IGatewayRoute =>
        routes.Index(EnvoyGatewayHost.ByParent, route => RouteReferences.Gateways(route).Select(g => g.ToString()));

    private static void AddRoutes<T>(IServiceCollection services, string name, SandboxEnvironment sandbox, Action<string> report)
        where T : class, IGatewayRoute =>
        AddReports<T>(
            services,
            name,
            report,
            (route, cluster) => ObjectState.Of(route, cluster.Informer<Gateway>().Get, sandbox.ResolveGateway),
            controller =>
                controller.Watch<Gateway>(
                    Cluster,
                    host =>
                    {
                        var cluster = host.GetRequiredKeyedService<Cluster>(Cluster);
                        return (Gateway gateway) =>
                            cluster
                                .Informer<T>()
                                .ByIndex(EnvoyGatewayHost.ByParent, ResourceKey.Of(gateway).ToString())
                                .Select(route => ResourceKey.Of(route));
                    }
                )
        );

    private static void AddReports<T>(
        IServiceCollection services,
        string name,
        Action<string> report,
        Func<T, Cluster, IReadOnlyList<string>> state,
        Action<ControllerBuilder>? watch = null
    )
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        services.AddSingleton(provider => new StateReporter<T>(
            provider.GetRequiredKeyedService<Cluster>(Cluster),
            provider.GetRequiredService<TimeProvider>(),
            state,
            report
        ));
        services.AddController<StateReporter<T>>(
            name,
            controller =>
            {
                controller.Watch<T>(Cluster);
                watch?.Invoke(controller);
            }
        );
    }
}

/// <summary>
/// Reports the state of the objects of a kind when it has not changed for a moment: a new object has several states within milliseconds.
/// </summary>
internal sealed class StateReporter<T>(
    Cluster cluster,
    TimeProvider time,
    Func<T, Cluster, IReadOnlyList<string>> state,
    Action<string> report
) : IReconciler
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(300);

    private readonly DelayTracker _delays = new(time);
    private readonly ConcurrentDictionary<ResourceKey, (string Kind, IReadOnlyList<string> Lines)> _reported = new();

    public Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var current = cluster.Informer<T>().Get(key);
        if (current is null || current.Metadata.DeletionTimestamp is not null)
        {
            _delays.End(key);
            if (_reported.TryRemove(key, out var last))
            {
                report($"{last.Kind} {key} deleted");
            }

            return Task.FromResult(ReconcileResult.Done);
        }

        var lines = state(current, cluster);
        var known = _reported.TryGetValue(key, out var before) ? before.Lines : [];

        // A state that is not known replaces no known one: the object is being updated.
        if (lines.Count == 0 || lines.SequenceEqual(known, StringComparer.Ordinal))
        {
            _delays.End(key);
            return Task.FromResult(ReconcileResult.Done);
        }

        if (_delays.Left(key, string.Join('\n', lines), Settling) is { } left)
        {
            return Task.FromResult(ReconcileResult.RequeueAfter(left));
        }

        _delays.End(key);
        _reported[key] = (current.Kind, lines);
        foreach (var line in lines.Except(known, StringComparer.Ordinal))
        {
            // Addresses and names of parents are texts of a tenant.
            report(MessageText.Escape(line));
        }

        return Task.FromResult(ReconcileResult.Done);
    }
}
