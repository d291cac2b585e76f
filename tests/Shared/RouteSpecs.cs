using KubeLB.Api.V1Alpha1;

namespace KubeLB.Tests.Shared;

/// <summary>Specs of Routes in their type, for tests that write them.</summary>
internal static class RouteSpecs
{
    /// <summary>The Kubernetes source of the spec.</summary>
    public static KubernetesSource Kubernetes(this Route route) => route.Spec!.Read().Source!.Kubernetes!;

    /// <summary>Changes the spec.</summary>
    public static void Change(this Route route, Action<KubernetesSource> change)
    {
        var spec = route.Spec!.Read();
        change(spec.Source!.Kubernetes!);
        route.Spec = spec;
    }
}
