using System.Net;
using System.Text.Json.Nodes;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.Clusters;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Manager.Proxies.Reports;

/// <summary>
/// The Lease in which this replica says what it has to say; there is none while that is nothing. No other replica writes it, so its requests
/// pass the fence that keeps replicas from writing what the leader writes; like those for the leader's Lease they go through the bare connection.
/// </summary>
internal sealed class ReportLease([FromKeyedServices(ManagementCluster.Name)] Cluster management, ManagerOptions options, TimeProvider time)
{
    /// <summary>Label of such Leases.</summary>
    public const string Label = "kubelb.k8c.io/xds-report";

    /// <summary>Annotation that holds the report.</summary>
    public const string Annotation = "kubelb.k8c.io/xds-report";

    /// <summary>How long a report counts after it was written or renewed.</summary>
    public static readonly TimeSpan Duration = TimeSpan.FromMinutes(2);

    /// <summary>Until it is renewed.</summary>
    public static readonly TimeSpan Renewal = TimeSpan.FromSeconds(30);

    private readonly string _name = $"kubelb-manager-xds-{Guid.NewGuid():N}";
    private bool _exists;

    /// <summary>Writes or renews the report.</summary>
    public async Task WriteAsync(string report, CancellationToken cancellationToken)
    {
        if (_exists && await PatchAsync(report, cancellationToken).ConfigureAwait(false))
        {
            return;
        }

        var lease = new V1Lease
        {
            Metadata = new V1ObjectMeta
            {
                Name = _name,
                NamespaceProperty = options.Namespace,
                Labels = new Dictionary<string, string> { [Label] = "true" },
                Annotations = new Dictionary<string, string> { [Annotation] = report },
            },
            Spec = new V1LeaseSpec
            {
                HolderIdentity = Environment.MachineName,
                LeaseDurationSeconds = (int)Duration.TotalSeconds,
                RenewTime = time.GetUtcNow().UtcDateTime,
            },
        };
        try
        {
            await management.Kubernetes.CoordinationV1.CreateNamespacedLeaseAsync(lease, options.Namespace, cancellationToken: cancellationToken).ConfigureAwait(false);
        }
        catch (HttpOperationException e) when (e.Response?.StatusCode == HttpStatusCode.Conflict)
        {
            // An earlier attempt whose answer was lost.
            await PatchAsync(report, cancellationToken).ConfigureAwait(false);
        }

        _exists = true;
    }

    /// <summary>There is nothing to say any more.</summary>
    public async Task DeleteAsync(CancellationToken cancellationToken)
    {
        if (!_exists)
        {
            return;
        }

        try
        {
            await management.Kubernetes.CoordinationV1.DeleteNamespacedLeaseAsync(_name, options.Namespace, cancellationToken: cancellationToken).ConfigureAwait(false);
        }
        catch (HttpOperationException e) when (e.Response?.StatusCode == HttpStatusCode.NotFound)
        {
            // The leader took this replica for dead.
        }

        _exists = false;
    }

    private async Task<bool> PatchAsync(string report, CancellationToken cancellationToken)
    {
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [Annotation] = report } },
            ["spec"] = new JsonObject { ["renewTime"] = time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture) },
        };
        try
        {
            await management.Kubernetes.CoordinationV1.PatchNamespacedLeaseAsync(
                new V1Patch(patch.ToJsonString(), V1Patch.PatchType.MergePatch), _name, options.Namespace, cancellationToken: cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (HttpOperationException e) when (e.Response?.StatusCode == HttpStatusCode.NotFound)
        {
            return false;
        }
    }
}
