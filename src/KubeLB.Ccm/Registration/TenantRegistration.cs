using System.Collections.Concurrent;
using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Clusters;
using KubeLB.Runtime.Probes;
using KubeLB.Runtime.Storing;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Tenants;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeLB.Ccm.Registration;

/// <summary>
/// Writes objects to the tenant's namespace in the management cluster. Reports in <c>/readyz</c>, and once per change in the log, whether
/// the management cluster accepts them.
/// </summary>
internal sealed class TenantRegistration(
    [FromKeyedServices(ClusterNames.Management)] Cluster management,
    Applier applier,
    TenantSettings settings,
    TimeProvider time,
    ILogger<TenantRegistration> logger
) : IReadinessCheck
{
    /// <summary>How long a rejection of all objects of a kind is reused, instead of one request per object.</summary>
    public static readonly TimeSpan RequeueAfter = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<Type, (ManagementRejection Rejection, long At)> _rejections = new();
    private string? _problem;

    public string Name => $"tenant {settings.TenantNamespace}";

    public string? Problem => Volatile.Read(ref _problem);

    /// <summary>
    /// Applies an object in the tenant's namespace. Returns a rejection if the object cannot be created; throws for every other failure,
    /// including a rejected update.
    /// </summary>
    /// <param name="desired">The desired object.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <param name="traceAnnotation">The annotation that carries the trace context to the manager; null for none.</param>
    public async Task<(Applied<T>? Applied, ManagementRejection? Rejection)> ApplyAsync<T>(
        T desired,
        CancellationToken cancellationToken,
        string? traceAnnotation = null
    )
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var exists = management.Informer<T>().Get(ResourceKey.Of(desired)) is not null;
        if (!exists && _rejections.TryGetValue(typeof(T), out var last) && time.GetElapsedTime(last.At) < RequeueAfter)
        {
            return (null, last.Rejection);
        }

        try
        {
            var applied = await (
                traceAnnotation is null
                    ? applier.ApplyAsync(management, desired, cancellationToken)
                    : applier.ApplyWithContextAsync(management, desired, traceAnnotation, cancellationToken)
            ).ConfigureAwait(false);
            if (applied.Outcome != ApplyOutcome.Unchanged)
            {
                _rejections.Clear();
                if (Interlocked.Exchange(ref _problem, null) is not null)
                {
                    Log.ManagementClusterAccepted(logger, settings.TenantNamespace);
                }
            }

            return (applied, null);
        }
        catch (HttpOperationException e)
            when (!exists && ManagementRejection.Of(e, ResourceKind.Of<T>().FullName, settings.TenantNamespace) is not null)
        {
            var rejection = ManagementRejection.Of(e, ResourceKind.Of<T>().FullName, settings.TenantNamespace)!;
            if (rejection.IsOfTenant)
            {
                _rejections[typeof(T)] = (rejection, time.GetTimestamp());
                if (Interlocked.Exchange(ref _problem, rejection.Message) is null)
                {
                    Log.ManagementClusterRejected(logger, rejection.Message);
                }
            }

            return (null, rejection);
        }
    }
}

/// <summary>
/// The management cluster rejected the creation of an object, and a retry fails until an administrator or the tenant changes something.
/// Temporary failures (no response, 409, 429, 5xx) are not rejections.
/// </summary>
/// <param name="IsOfTenant">Whether every object of the tenant is rejected, not only this one.</param>
/// <param name="Message">Cause and remedy, for a condition, the log and <c>/readyz</c>.</param>
internal sealed record ManagementRejection(bool IsOfTenant, string Message)
{
    /// <summary>
    /// When to retry. If all objects are rejected, one request is sent for all of them (<see cref="TenantRegistration"/>).
    /// </summary>
    public TimeSpan RequeueAfter => IsOfTenant ? TenantRegistration.RequeueAfter : TimeSpan.FromSeconds(30);

    /// <summary>The reason of the condition.</summary>
    public string Reason { get; private init; } = GatewayConditions.ManagementClusterRejected;

    /// <summary>The reason and message of the condition.</summary>
    public Rejection ToRejection() => new(Reason, Message);

    /// <summary>Classifies a failed creation; null if it is not a rejection.</summary>
    /// <param name="failure">The response of the API server.</param>
    /// <param name="resource">Full name of the resource: <c>routes.kubelb.k8c.io</c>.</param>
    /// <param name="tenantNamespace">The tenant's namespace.</param>
    public static ManagementRejection? Of(HttpOperationException failure, string resource, string tenantNamespace)
    {
        var tenant = TenantNames.TenantOf(tenantNamespace) ?? tenantNamespace;
        var status = ApiStatus.Parse(failure.Response?.Content);
        return failure.Response?.StatusCode switch
        {
            HttpStatusCode.NotFound when status?.Details?.Kind == "namespaces" => new(true, Messages.TenantNotRegistered(tenant))
            {
                Reason = GatewayConditions.TenantNotRegistered,
            },
            HttpStatusCode.NotFound => new(true, Messages.DefinitionMissing(resource)),
            HttpStatusCode.Forbidden when IsNamespaceTerminating(status) => new(true, Messages.TenantTerminating(tenant))
            {
                Reason = GatewayConditions.TenantNotRegistered,
            },
            HttpStatusCode.BadRequest
            or HttpStatusCode.Forbidden
            or HttpStatusCode.UnprocessableEntity when AdmissionDenial.Of(status) is { } denial => denial.IsQuota
                ? new(false, Messages.QuotaExceeded(tenant)) { Reason = RouteConditions.QuotaExceeded }
                : new(false, Messages.AdmissionDenied(denial.Explanation ?? "no reason was given."))
                {
                    Reason = RouteConditions.AdmissionDenied,
                },
            HttpStatusCode.Forbidden => new(true, Messages.CreationForbidden(resource, tenant)),
            HttpStatusCode.Unauthorized => new(true, Messages.InvalidCredentials(tenant)),
            HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.UnprocessableEntity => new(
                false,
                Messages.ObjectRejected(status?.Message ?? failure.Message)
            ),
            _ => null,
        };
    }

    private static bool IsNamespaceTerminating(V1Status? status) =>
        status?.Details?.Causes?.Any(c => c.Reason == "NamespaceTerminating") == true;
}
