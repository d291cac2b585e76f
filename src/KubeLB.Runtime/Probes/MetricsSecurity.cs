namespace KubeLB.Runtime.Probes;

/// <summary>TLS and authentication of <c>/metrics</c>, as in components of Kubernetes.</summary>
/// <param name="Cluster">Name of the cluster whose API server authenticates and authorizes the clients.</param>
/// <param name="CertificatePath">
/// Folder with <c>tls.crt</c> and <c>tls.key</c>, which are read again when they change; empty for a self-signed certificate.
/// </param>
public sealed record MetricsSecurity(string Cluster, string CertificatePath);
