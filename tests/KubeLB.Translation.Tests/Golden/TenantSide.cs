using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Endpoints;
using KubeLB.Translation.Messages;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Secrets;
using KubeLB.Translation.Status;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Golden;

/// <summary>Everything that a CCM writes for the objects of a case.</summary>
internal sealed class TenantSide(CaseObjects objects) : ITenantView
{
    private readonly TenantSettings _settings = new(
        objects.Settings.TenantNamespace,
        objects.Settings.UseGatewayClass,
        objects.Settings.EnforceReferenceGrants
    )
    {
        IsGatewayControllerEnabled = objects.Settings.IsGatewayControllerEnabled,
    };
    private readonly List<JsonObject> _nodePortServices = [];
    private int _nodePort = 30000;

    public DateTimeOffset Now => DateTimeOffset.Parse(Settings.Now, System.Globalization.CultureInfo.InvariantCulture);

    public GatewayClass? GatewayClass(string name) => objects.Get<GatewayClass>("", name);

    public IEnumerable<GatewayClass> GatewayClasses() => objects.All<GatewayClass>();

    public IEnumerable<Gateway> GatewaysNamed(string name) => objects.All<Gateway>().Where(g => g.Name == name);

    public IEnumerable<Gateway> GatewaysIn(string @namespace) => objects.All<Gateway>().Where(g => g.Namespace == @namespace);

    public Gateway? Gateway(string @namespace, string name) => objects.Get<Gateway>(@namespace, name);

    // Namespaces that a case does not speak of exist without labels.
    public IReadOnlyDictionary<string, string>? NamespaceLabels(string @namespace) =>
        new Dictionary<string, string>(objects.Get<V1Namespace>("", @namespace)?.Metadata.Labels ?? new Dictionary<string, string>());

    public V1Service? Service(string @namespace, string name) => objects.Get<V1Service>(@namespace, name);

    public IEnumerable<V1EndpointSlice> EndpointSlices(string @namespace, string service) =>
        objects.All<V1EndpointSlice>().Where(s => s.Namespace() == @namespace && MirroredEndpointSlices.ServiceOf(s) == service);

    public string? NodePortServiceError(string @namespace, string name) =>
        objects.Settings.NodePortServiceErrors.GetValueOrDefault($"{@namespace}/{name}");

    public V1Secret? Secret(string @namespace, string name) => objects.Get<V1Secret>(@namespace, name);

    public IEnumerable<ReferenceGrant> ReferenceGrants(string @namespace) =>
        objects.All<ReferenceGrant>().Where(g => g.Namespace == @namespace);

    public string? OriginOf(string generatedName) => null;

    public Route? GatewayRoute(string @namespace, string name) =>
        objects.All<Route>().FirstOrDefault(r => RouteOrigin.Of(r) is { Kind: "Gateway" } o && o.Namespace == @namespace && o.Name == name);

    public IEnumerable<JsonObject> Output()
    {
        var routes = objects.All<HttpRoute>().Cast<IGatewayRoute>().Concat(objects.All<GrpcRoute>()).ToList();
        routes.ForEach(AddNodePortServices);
        IEnumerable<JsonObject> addresses =
            objects.All<V1Node>().Count == 0
                ? []
                :
                [
                    ApiJson.ToJson(
                        NodeAddresses.Translate(objects.All<V1Node>(), objects.Settings.NodeAddresses, _settings.TenantNamespace)
                    ),
                ];
        return
        [
            .. addresses,
            .. _nodePortServices,
            .. SyncSecrets(),
            .. objects.All<Gateway>().SelectMany(Carry),
            .. routes.SelectMany(Carry),
            .. objects
                .All<GatewayClass>()
                .Where(GatewayOwnership.HasKubelbController)
                .Select(c => Status(c, GatewayClassStatusTranslator.Translate(c, Settings.Now))),
        ];
    }

    private void AddNodePortServices(IGatewayRoute route)
    {
        if (!RouteAttachment.Evaluate(route, this, _settings).Any(v => v.IsAttached))
        {
            return;
        }

        foreach (var (@namespace, name) in BackendReferences.ServicesOf(route))
        {
            if (!new BackendGrants(route, this, _settings).IsPermitted(@namespace, name))
            {
                continue;
            }

            if (
                Service(@namespace, name) is not { } service
                || !NodePortService.IsNeededFor(service, BackendReferences.PortsOf(route, @namespace, name))
                || NodePortServiceError(@namespace, name) is not null
                || NodePortService.Find(this, @namespace, name) is not null
            )
            {
                continue;
            }

            var nodePortService = NodePortService.Build(service, this);
            _nodePortServices.Add(ApiJson.ToJson(nodePortService));
            if (objects.Settings.AllocatesNodePorts)
            {
                nodePortService.Metadata.Uid = $"service-{@namespace}-{nodePortService.Name()}";
                foreach (var port in nodePortService.Spec.Ports)
                {
                    port.NodePort = _nodePort++;
                }

                objects.Set(nodePortService);
                AddMirrors(service, nodePortService);
            }
        }
    }

    private void AddMirrors(V1Service service, V1Service nodePortService)
    {
        if (MirroredEndpointSlices.AreNeededFor(service))
        {
            var slices = EndpointSlices(service.Namespace(), service.Name());
            _nodePortServices.AddRange(MirroredEndpointSlices.Build(service, nodePortService, slices).Select(ApiJson.ToJson));
        }
    }

    private IEnumerable<JsonObject> SyncSecrets()
    {
        var used = objects
            .All<Gateway>()
            .Where(g => GatewayOwnership.Owns(g, this, _settings))
            .SelectMany(g => ListenerCertificates.Evaluate(g, this))
            .Where(c => c.Rejection is null)
            .Select(c => (c.Namespace, c.Name))
            .ToHashSet();
        var labelled = objects
            .All<V1Secret>()
            .Where(s =>
                objects.Settings.SynchronizesSecrets
                && s.Metadata.Labels?.TryGetValue(Labels.ManagedBy, out var by) == true
                && by == Labels.ManagedByKubelb
            );
        var secrets = objects
            .All<V1Secret>()
            .Where(s => used.Contains((s.Namespace(), s.Name())))
            .Union(labelled)
            .Select(s => SyncSecretTranslator.Translate(s, _settings.TenantNamespace));
        var ofUsers = objects
            .All<SyncSecret>()
            .Where(SyncSecretTranslator.IsUserCreated)
            .Select(s => SyncSecretTranslator.Translate(s, _settings.TenantNamespace));
        return secrets.Concat(ofUsers).OfType<SyncSecret>().Select(ApiJson.ToJson);
    }

    private IEnumerable<JsonObject> Carry(Gateway gateway)
    {
        if (_settings.IsGatewayControllerEnabled && GatewayTranslator.Translate(gateway, this, _settings) is { } route)
        {
            if (objects.Settings.Rejection is { } rejection)
            {
                gateway.Status = GatewayStatusTranslator.Reject(
                    gateway,
                    new Rejection(GatewayConditions.ManagementClusterRejected, rejection),
                    Settings.Now
                );
                yield return Status(gateway, gateway.Status);
                yield break;
            }

            yield return ApiJson.ToJson(route);
            yield return Status(
                gateway,
                GatewayStatusTranslator.Translate(
                    gateway,
                    objects.Get<Route>(_settings.TenantNamespace, gateway.Metadata.Uid),
                    ListenerCertificates.Evaluate(gateway, this),
                    Settings.Now
                )
            );
        }
        else if (_settings.IsGatewayControllerEnabled && GatewayOwnership.Owns(gateway, this, _settings))
        {
            yield return Status(gateway, InvalidListeners.Status(gateway, Settings.Now));
        }
    }

    private IEnumerable<JsonObject> Carry(IGatewayRoute route)
    {
        var translation = RouteTranslator.Translate(route, this, _settings);
        if (translation.Parents.Any(p => p.GatewayRejection is not null))
        {
            // Written after its Gateway only.
        }
        else if (translation.Desired is not null && (!translation.IsAttached || translation.Backends.PendingServices.Count == 0))
        {
            yield return ApiJson.ToJson(translation.Desired);
        }
        else if (translation.Desired is not null)
        {
            yield return new JsonObject
            {
                ["kind"] = "Waiting",
                ["route"] = $"{route.Kind} {route.Metadata.NamespaceProperty}/{route.Metadata.Name}",
                ["nodePortsOf"] = new JsonArray([.. translation.Backends.PendingServices.Select(JsonNode (w) => w)]),
            };
        }

        var inManagement = objects.Get<Route>(_settings.TenantNamespace, route.Metadata.Uid);
        var status = RouteStatusTranslator.Translate(route, translation, inManagement, this, Settings.Now);
        if (status.Parents.Count > 0)
        {
            yield return Status(route, status);
        }
    }

    private static JsonObject Status(IKubernetesObject<V1ObjectMeta> value, object status) =>
        new()
        {
            ["apiVersion"] = value.ApiVersion,
            ["kind"] = value.Kind,
            ["metadata"] = value.Metadata.NamespaceProperty is { } ns
                ? new JsonObject { ["namespace"] = ns, ["name"] = value.Metadata.Name }
                : new JsonObject { ["name"] = value.Metadata.Name },
            ["status"] = ApiJson.ToJson(status),
        };
}
