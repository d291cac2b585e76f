using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Sandbox.EnvoyGateway.Statuses;

namespace KubeLB.Sandbox.Tests.EnvoyGateway;

/// <summary>A cluster in which every Service exists with port 80, and nothing else.</summary>
internal sealed class EmptyView : IClusterView
{
    public TlsSecret Secret(string ns, string name) => TlsSecret.Missing;

    public V1Service Service(string ns, string name) => new() { Spec = new V1ServiceSpec { Ports = [new V1ServicePort { Port = 80 }] } };

    public bool HasEndpoints(string ns, string name) => true;

    public IDictionary<string, string> NamespaceLabels(string ns) => new Dictionary<string, string>();

    public IEnumerable<ReferenceGrant> Grants(string ns) => [];
}
