using CsCheck;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Serialization;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Routes;
using KubeLB.Translation.Tenants;
using KubeLB.Translation.Tests.Attachment;

namespace KubeLB.Translation.Tests.Properties;

/// <summary>
/// The parentRefs of generated routes satisfy the CEL rules of both channels of Gateway API, for all parentRefs that a tenant can write to
/// Gateways with up to 64 listeners.
/// </summary>
public sealed class ParentRefProperties
{
    private static readonly Gen<Listener> AnyListener = Gen.Select(
            OneOf(8081, 8082, 8083),
            OneOf<string?>(null, "*.a.example", "x.a.example", "*.b.example"),
            OneOf("All", "All", "All", "None")
        )
        .Select(
            (port, hostname, from) =>
                new Listener
                {
                    Port = port,
                    Protocol = "HTTP",
                    Hostname = hostname,
                    AllowedRoutes = new AllowedRoutes { Namespaces = new RouteNamespaces { From = from } },
                }
        );

    private static readonly Gen<ParentReference> AnyParentRef = Gen.Select(
            OneOf("gw0", "gw1"),
            OneOf<string?>(null, "apps"),
            OneOf<string?>(null, null, "", "l0", "l1", "l40"),
            OneOf<int?>(null, null, 8081, 8082)
        )
        .Select(
            (name, ns, section, port) =>
                new ParentReference
                {
                    Name = name,
                    Namespace = ns,
                    SectionName = section,
                    Port = port,
                }
        );

    private static readonly Gen<string[]> Hostnames = OneOf("x.a.example", "*.a.example", "y.b.example").Array[0, 2];

    [Fact]
    public void Generated_parentRefs_satisfy_the_rules_of_Gateway_API() =>
        Gen.Select(AnyListener.Array[1, 64], AnyListener.Array[1, 3], AnyParentRef.Array[1, 5], Hostnames)
            .Sample(
                (many, few, parentRefs, hostnames) =>
                {
                    var tenant = new TenantStub();
                    tenant.Gateways.AddRange([Gateway("gw0", many), Gateway("gw1", few)]);
                    var route = new HttpRoute
                    {
                        ApiVersion = GatewayApiVersion.ApiVersion,
                        Kind = HttpRoute.KindName,
                        Metadata = new V1ObjectMeta
                        {
                            Name = "web",
                            NamespaceProperty = "apps",
                            Uid = "u",
                        },
                        Spec = new HttpRouteSpec { ParentRefs = [.. parentRefs], Hostnames = [.. hostnames.Distinct()] },
                    };
                    var translation = RouteTranslator.Translate(route, tenant, new TenantSettings("tenant-t"));
                    if (!translation.IsAttached)
                    {
                        return;
                    }

                    var listeners = translation
                        .Parents.SelectMany(p => p.Listeners.Select(l => (p.Gateway.Name, l.Name)))
                        .Distinct()
                        .Count();
                    var generated = EnvoyGatewayTranslator.Translate(
                        ApiJson.Copy(translation.Desired!),
                        TenantPolicy.Default,
                        new ManagementStub(NameHolder.Free),
                        _ => 10_000
                    );
                    if (generated.Generated is null)
                    {
                        listeners.Should().BeGreaterThan(64, generated.Problem);
                        return;
                    }

                    var routes = generated.FurtherRoutes.Prepend(generated.Generated).Cast<HttpRoute>().ToList();
                    routes.Select(r => r.Name).Should().OnlyHaveUniqueItems();
                    routes.Should().OnlyContain(r => r.ParentRefs.Count > 0 && r.ParentRefs.Count <= 32);
                    foreach (var parents in routes.Select(r => r.ParentRefs))
                    {
                        IsUniform(parents, withPort: false).Should().BeTrue(Describe(parents));
                        IsUniform(parents, withPort: true).Should().BeTrue(Describe(parents));
                        AreUnique(parents, withPort: false).Should().BeTrue(Describe(parents));
                        AreUnique(parents, withPort: true).Should().BeTrue(Describe(parents));
                    }
                },
                iter: 2000
            );

    // "sectionName (or port) must be specified when parentRefs includes 2 or more references to the same parent"
    private static bool IsUniform(List<ParentReference> parents, bool withPort) =>
        parents.TrueForAll(p1 =>
            parents.TrueForAll(p2 =>
                !IsSameParent(p1, p2)
                || (
                    string.IsNullOrEmpty(p1.SectionName) == string.IsNullOrEmpty(p2.SectionName)
                    && (!withPort || (p1.Port ?? 0) == 0 == ((p2.Port ?? 0) == 0))
                )
            )
        );

    // "sectionName (or port) must be unique when parentRefs includes 2 or more references to the same parent"
    private static bool AreUnique(List<ParentReference> parents, bool withPort) =>
        parents.TrueForAll(p1 =>
            parents.Count(p2 =>
                IsSameParent(p1, p2) && (p1.SectionName ?? "") == (p2.SectionName ?? "") && (!withPort || (p1.Port ?? 0) == (p2.Port ?? 0))
            ) == 1
        );

    private static bool IsSameParent(ParentReference p1, ParentReference p2) =>
        p1.Group == p2.Group && p1.Kind == p2.Kind && p1.Name == p2.Name && (p1.Namespace ?? "") == (p2.Namespace ?? "");

    private static string Describe(List<ParentReference> parents) =>
        string.Join(' ', parents.Select(p => $"{p.Name}/{p.SectionName}:{p.Port}"));

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static Gateway Gateway(string name, Listener[] listeners)
    {
        var copies = listeners.Select(l => ApiJson.Copy(l)).ToList();
        for (var i = 0; i < copies.Count; i++)
        {
            copies[i].Name = $"l{i}";
        }

        return new Gateway
        {
            Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "apps" },
            Spec = new GatewaySpec { GatewayClassName = "kubelb", Listeners = copies },
        };
    }
}
