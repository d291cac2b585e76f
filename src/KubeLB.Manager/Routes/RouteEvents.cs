using k8s.Models;
using KubeLB.Api.V1Alpha1;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Events;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Events;
using KubeLB.Translation.Status;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Routes;

/// <summary>Tells the people of the management cluster, in Events on Routes, what is out of the ordinary.</summary>
internal sealed class RouteEvents([FromKeyedServices(ManagementCluster.Name)] EventRecorder recorder)
{
    /// <summary>The component that the Events come from.</summary>
    public const string Component = "kubelb-manager";

    /// <summary>Reason: somebody changed or deleted a generated object.</summary>
    public const string Repaired = "Repaired";

    /// <summary>Tells what a written status changed.</summary>
    /// <param name="before">The Route as it was when its status was computed.</param>
    /// <param name="written">What became of the write.</param>
    public void Tell(Route before, Applied<Route> written)
    {
        if (written.Outcome == ApplyOutcome.Unchanged)
        {
            return;
        }

        foreach (var told in GeneratedObjectEvents.Between(before.Status, written.Object.Status))
        {
            recorder.Record(written.Object, told.IsWarning ? EventType.Warning : EventType.Normal, told.Reason, told.Message);
        }
    }

    /// <summary>Tells which generated objects somebody else had changed or deleted.</summary>
    /// <param name="route">The Route, with its status as it stands.</param>
    /// <param name="translation">What was to be written.</param>
    /// <param name="generated">What became of the generated object.</param>
    /// <param name="services">What became of the Services, by their key.</param>
    public void ReportRepairs(
        Route route,
        EnvoyGatewayTranslation translation,
        AppliedObject? generated,
        IReadOnlyDictionary<string, AppliedObject> services
    )
    {
        var known = route.Status?.Resources;
        if (translation.Generated is { } desired && generated is not null)
        {
            ReportRepair(route, desired.Kind, desired.Name, known?.Route, generated);
        }

        foreach (var plan in translation.Services)
        {
            ReportRepair(
                route,
                V1Service.KubeKind,
                plan.Service.Metadata.Name,
                known?.Services?.GetValueOrDefault(plan.Key),
                services[plan.Key]
            );
        }
    }

    private void ReportRepair(Route route, string kind, string name, GeneratedObject? known, AppliedObject applied)
    {
        if (applied.IsRepaired)
        {
            recorder.Record(
                route,
                EventType.Warning,
                Repaired,
                $"Somebody changed {kind} {name}, which is generated; it is as it was again. Change the tenant's object instead."
            );
        }
        else if (applied.IsCreated && known?.GeneratedName == name)
        {
            recorder.Record(
                route,
                EventType.Warning,
                Repaired,
                $"Somebody deleted {kind} {name}, which is generated; it is there again. Delete the tenant's object instead."
            );
        }
    }
}
