using k8s.Models;
using KubeLB.Manager.Hosting;
using KubeLB.Manager.Tenants;
using KubeLB.Runtime.Hosting;
using KubeLB.Xds.Discovery;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Proxies.Reports;

/// <summary>Wires the way from what a proxy refuses, on any replica, to the leader.</summary>
internal static class ReportWatches
{
    public static void AddServices(IServiceCollection services)
    {
        services.AddSingleton<RejectedResources>().AddSingleton<IXdsObserver>(host => host.GetRequiredService<RejectedResources>());
        services.AddSingleton(host => new RefusedStreams(host.GetRequiredService<TenantSettingsResolver>().TenantOf, host.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IXdsObserver>(host => host.GetRequiredService<RefusedStreams>());
        services.AddSingleton<ReportLease>().AddSingleton<ReplicaReports>();
        services.AddHostedService<ReportWriter>();
    }

    public static void AddInformers(ClusterBuilder management, ManagerOptions options) => management.Informer<V1Lease>(leases =>
    {
        leases.Namespace = options.Namespace;
        leases.LabelSelector = ReportLease.Label;
    });

    public static void AddController(IServiceCollection services) =>
        services.AddController<ReportReconciler>("xdsreport", controller => controller.Watch<V1Lease>(ManagementCluster.Name));
}
