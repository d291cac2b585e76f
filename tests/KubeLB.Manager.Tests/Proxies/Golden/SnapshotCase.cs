using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Manager.Proxies;
using KubeLB.Tests.Shared;
using KubeLB.Translation.Endpoints;
using KubeLB.Translation.Proxies;
using KubeLB.Xds.Resources;

namespace KubeLB.Manager.Tests.Proxies.Golden;

/// <summary>
/// Builds the configuration of a tenant's proxies from Routes, generated Services, Addresses and a Config in a file. A document <c>kind:
/// ControlPlane</c> with <c>plain: true</c> means <c>--xds-insecure</c>.
/// </summary>
internal static class SnapshotCase
{
    public const string Node = "tenant-t";

    public static ResourceCache Build(string yaml)
    {
        var documents = Yaml.Read(yaml);
        var config = Of<Config>(documents, Config.KindName).SingleOrDefault();
        var addresses = Of<Addresses>(documents, Addresses.KindName).SingleOrDefault();
        var services = Of<V1Service>(documents, V1Service.KubeKind).ToLookup(s => s.Metadata.OwnerReferences.Single().Uid);
        var cache = new ResourceCache();
        var configuration = new TenantConfiguration(documents.Any(d => d["plain"]?.GetValue<bool>() == true));
        cache.Update(
            Node,
            change =>
            {
                var verdicts = new AddressPolicy(null, config?.Spec?.Addresses).Evaluate(addresses?.Spec?.Addresses);
                configuration.SetNodes([.. verdicts.Select(v => v.Endpoint).OfType<string>()], change);
                configuration.SetLimits(ProxySettings.Merge(config, null).Headers, change);
                foreach (var route in Of<Route>(documents, Route.KindName))
                {
                    configuration.SetRoute(route.Name, RoutePorts.Of(route, services[route.Metadata.Uid], NodePortRanges.Default), change);
                }
            }
        );
        return cache;
    }

    private static IEnumerable<T> Of<T>(IEnumerable<JsonObject> documents, string kind)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        documents.Where(d => d["kind"]!.GetValue<string>() == kind).Select(d => ApiJson.Read<T>(d));
}
