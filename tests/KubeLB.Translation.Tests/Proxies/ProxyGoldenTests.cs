using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Tests.Shared;
using KubeLB.Translation.Proxies;
using KubeLB.Translation.Tenants;
using KubeLB.Translation.Tests.Golden;

namespace KubeLB.Translation.Tests.Proxies;

/// <summary>
/// The workload of a tenant's proxies, by example: <c>testdata/proxies</c>. A case has a Config, a Tenant, both or none, and may have a
/// document <c>kind: ControlPlane</c> with <c>port</c> and <c>plain</c>.
/// </summary>
public sealed class ProxyGoldenTests
{
    internal static readonly GoldenFolder Folder = new("KubeLB.Translation.Tests", "proxies", "proxies");

    public static TheoryData<string> Cases => [.. Folder.Cases()];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Workload_is_the_golden_one(string name) => Folder.Check(name, Yaml.Write(Output(Folder.Input(name))));

    [Fact]
    public void Every_golden_output_has_an_input() => Folder.CheckOrphans();

    internal static ProxyWorkload Workload(string input)
    {
        var (objects, controlPlane) = Read(input);
        var settings = ProxySettings.Merge(objects.Get<Config>("kubelb", Config.DefaultName), objects.All<Tenant>().SingleOrDefault());
        return ProxyWorkload.Build("tenant-t", settings, controlPlane, "envoy-xds-client", egress: []);
    }

    private static IEnumerable<JsonObject> Output(string input)
    {
        var workload = Workload(input);
        foreach (
            var value in new IKubernetesObject<V1ObjectMeta>?[]
            {
                workload.Deployment,
                workload.DaemonSet,
                workload.DisruptionBudget,
                workload.PodMonitor,
            }
        )
        {
            if (value is not null)
            {
                yield return ApiJson.ToJson(value);
            }
        }

        var objects = Read(input).Objects;
        var problems = SettingsProblems
            .Find(objects.Get<Config>("kubelb", Config.DefaultName)?.Spec)
            .Concat(SettingsProblems.Find(objects.All<Tenant>().SingleOrDefault()?.Spec))
            .ToList();
        if (problems.Count > 0)
        {
            yield return new JsonObject
            {
                ["kind"] = "Problems",
                ["problems"] = new JsonArray([.. problems.Select(p => JsonValue.Create(p))]),
            };
        }
    }

    private static (CaseObjects Objects, ControlPlane ControlPlane) Read(string input)
    {
        var documents = Yaml.Read(input);
        var given = documents.SingleOrDefault(d => d["kind"]!.GetValue<string>() == "ControlPlane");
        return (
            new CaseObjects(Yaml.Write(documents.Where(d => d != given))),
            new ControlPlane(
                "envoycp.kubelb.svc",
                (int?)given?["port"]?.GetValue<long>() ?? 8001,
                given?["plain"]?.GetValue<bool>() ?? false
            )
        );
    }
}
