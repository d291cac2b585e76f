using System.Globalization;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.EnvoyGateway;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Naming;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Secrets;
using KubeLB.Translation.Status;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Golden;

/// <summary>Everything that a manager writes for the Routes of a case: Gateways first, because routes need their names.</summary>
internal sealed class ManagementSide(CaseObjects objects) : IManagementView
{
    private readonly Dictionary<PortNeed, int> _ports = [];
    private readonly TenantPolicy _policy = TenantPolicy.Merge(
        objects.Get<Config>("kubelb", Config.DefaultName),
        objects.Get<Tenant>("", TenantNames.TenantOf(objects.Settings.TenantNamespace)!)
    );

    /// <summary>Whether <see cref="StandardMetadata"/> is omitted from the output.</summary>
    public bool OmitsStandardMetadata { get; init; }

    public Route? GatewayRoute(string originNamespace, string originName) =>
        objects
            .All<Route>()
            .FirstOrDefault(r => RouteOrigin.Of(r) is { Kind: "Gateway" } o && o.Namespace == originNamespace && o.Name == originName);

    public string? GatewayName(Route gateway) => gateway.Status?.Resources?.Route?.GeneratedName;

    public string? CertificateSecret(string originNamespace, string originName) =>
        objects
            .All<V1Secret>()
            .FirstOrDefault(s => s.Type == SecretTypes.Tls && SecretOrigin.Of(s) == new SecretOrigin(originNamespace, originName))
            ?.Name();

    public NameHolder HolderOf(string kind, string name) =>
        kind switch
        {
            "Gateway" => Holder(objects.Get<Gateway>(objects.Settings.TenantNamespace, name)),
            "HTTPRoute" => Holder(objects.Get<HttpRoute>(objects.Settings.TenantNamespace, name)),
            "GRPCRoute" => Holder(objects.Get<GrpcRoute>(objects.Settings.TenantNamespace, name)),
            "BackendTrafficPolicy" => Holder(objects.Get<BackendTrafficPolicy>(objects.Settings.TenantNamespace, name)),
            "Service" => Holder(objects.Get<V1Service>(objects.Settings.TenantNamespace, name)),
            _ => throw new ArgumentException($"Nothing of kind {kind} is generated.", nameof(kind)),
        };

    public Rejection? SizeRejection(Route route) => null;

    // The oldest are within the limit; a case sets creation times if they matter.
    public bool IsHostnameInUse(Route route, string hostname) => false;

    public (int Existing, int Missing) CountServices(IEnumerable<string> names) => (0, names.Count());

    public bool IsWithinLimit(Route route)
    {
        var isGateway = RouteOrigin.Of(route)?.Kind == "Gateway";
        return objects
            .All<Route>()
            .Where(r => RouteOrigin.Of(r)?.Kind == "Gateway" == isGateway)
            .OrderBy(r => r.Metadata.CreationTimestamp ?? DateTime.MaxValue)
            .ThenBy(r => r.Name, StringComparer.Ordinal)
            .Take(isGateway ? _policy.GatewayLimit : _policy.RouteLimit)
            .Contains(route);
    }

    public IEnumerable<JsonObject> Output() =>
        [
            .. objects.All<SyncSecret>().Select(Generate),
            .. objects.All<Route>().OrderBy(r => RouteOrigin.Of(r)?.Kind == "Gateway" ? 0 : 1).SelectMany(Generate).ToList(),
        ];

    private JsonObject Generate(SyncSecret syncSecret)
    {
        var (secret, problem) = SecretCopyTranslator.Translate(syncSecret);
        if (secret is null)
        {
            return new JsonObject
            {
                ["kind"] = "Rejected",
                ["syncSecret"] = $"{syncSecret.Namespace}/{syncSecret.Name}",
                ["problem"] = problem,
            };
        }

        objects.Set(secret);
        return ApiJson.ToJson(secret);
    }

    private IEnumerable<JsonObject> Generate(Route route)
    {
        var translation = EnvoyGatewayTranslator.Translate(route, _policy, this, ProxyPort);
        if (translation.WaitingFor is { } gateway)
        {
            yield return new JsonObject
            {
                ["kind"] = "Waiting",
                ["route"] = route.Name,
                ["nameOf"] = $"Gateway {gateway}",
            };
            yield break;
        }

        var applied = translation.Services.ToDictionary(
            p => p.Key,
            p => new AppliedObject(null, new JsonObject { ["loadBalancer"] = new JsonObject() }, null)
        );
        foreach (var plan in translation.Services)
        {
            objects.Set(plan.Service);
            yield return Generated(plan.Service, route, plan.OriginNamespace, plan.OriginName);
        }

        AppliedObject? generated = null;
        if (translation.Generated is { } value)
        {
            generated = new AppliedObject(Store(value), Status: null, Error: null);
            yield return Generated(value, route, translation.Origin!.Namespace, translation.Origin.Name);
            foreach (var further in translation.FurtherRoutes)
            {
                Store(further);
                yield return Generated(further, route, translation.Origin.Namespace, translation.Origin.Name);
            }
        }

        AppliedObject? policy = null;
        if (translation.Retries?.Policy is { } retries)
        {
            var stands = objects.Get<BackendTrafficPolicy>(retries.Namespace, retries.Name)?.Status;
            policy = new AppliedObject(1, stands is null ? null : ApiJson.ToJson(stands), Error: null);
            objects.Set(retries);
            yield return Generated(retries, route, translation.Origin!.Namespace, translation.Origin.Name);
        }

        var outcome = new RouteOutcome(route, translation)
        {
            Generated = generated,
            Services = applied,
            RetryPolicy = policy,
        };
        route.Status = RouteStatusBuilder.Build(outcome, Settings.Now);
        if (route.Status.Conditions!.TrueForAll(c => c.Status == ConditionStatus.Unknown))
        {
            // There is no Envoy Gateway here: all conditions would be pending.
            route.Status.Conditions = null;
        }

        yield return new JsonObject
        {
            ["apiVersion"] = route.ApiVersion,
            ["kind"] = route.Kind,
            ["metadata"] = new JsonObject { ["namespace"] = route.Namespace, ["name"] = route.Name },
            ["status"] = ApiJson.ToJson(route.Status),
        };
    }

    private JsonObject Generated(object value, Route route, string originNamespace, string originName)
    {
        var json = ApiJson.ToJson(value);
        if (OmitsStandardMetadata)
        {
            StandardMetadata.OmitFromGenerated(json, route, originNamespace, originName);
        }

        return json;
    }

    private long Store(ApiObject value)
    {
        switch (value)
        {
            case Gateway gateway:
                objects.Set(gateway);
                break;
            case HttpRoute http:
                objects.Set(http);
                break;
            case GrpcRoute grpc:
                objects.Set(grpc);
                break;
        }

        return 1;
    }

    private int ProxyPort(PortNeed need)
    {
        if (!_ports.TryGetValue(need, out var port))
        {
            // As in the manager, existing Services keep their ports.
            var stands = objects
                .Get<V1Service>(objects.Settings.TenantNamespace, need.Service)
                ?.Spec.Ports.FirstOrDefault(p => p.Port == need.Port)
                ?.TargetPort?.Value;
            _ports[need] = port = stands is null ? 10000 + _ports.Count : int.Parse(stands, CultureInfo.InvariantCulture);
        }

        return port;
    }

    private static NameHolder Holder(IKubernetesObject<V1ObjectMeta>? value) =>
        value is null
            ? NameHolder.Free
            : new NameHolder(
                IsTaken: true,
                value.Metadata.OwnerReferences?.FirstOrDefault(o => o.Kind == Route.KindName)?.Uid,
                value.Metadata.OwnerReferences is null && value.Metadata.Labels?.TryGetValue(Labels.OriginName, out var name) == true
                    ? (value.Metadata.Labels[Labels.OriginNamespace], name)
                    : null
            );
}
