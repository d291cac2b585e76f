using System.Text.RegularExpressions;
using CsCheck;
using KubeLB.Api.Naming;
using KubeLB.Translation.EnvoyGateway;

namespace KubeLB.Translation.Tests.Properties;

/// <summary>https://kubernetes.io/docs/concepts/overview/working-with-objects/names/</summary>
public sealed partial class NamingProperties
{
    private static readonly Gen<string> Label = Gen.Select(Gen.Char["abcxyz019"], Gen.Char["ab-9-"].Array[0, 61], Gen.Char["az0"])
        .Select((first, middle, last) => first + new string(middle) + last);

    private static readonly Gen<string> Subdomain = Label.Array[1, 6].Select(labels => Cut(string.Join('.', labels)));

    private static readonly Gen<string> AnyText = Gen.OneOf(
        Gen.String,
        Gen.String[Gen.Char["aZ0-._\u00e9\ud83d\ude00 "], 0, 90],
        Subdomain
    );

    /// <summary>Whatever the parts are; the contract's longest name is cut to 60 characters.</summary>
    [Fact]
    [Trait("Threat", "generated-names")]
    public void Name_of_a_generated_Service_is_a_DNS_1035_label_of_at_most_60_characters() =>
        Gen.Select(AnyText, AnyText, AnyText)
            .Sample(
                (@namespace, route, service) =>
                {
                    var name = GeneratedNames.ForService(@namespace, route, service);

                    Dns1035().IsMatch(name).Should().BeTrue("{0} must be a label", name);
                    name.Length.Should().BeLessThanOrEqualTo(60);
                }
            );

    [Fact]
    [Trait("Threat", "generated-names")]
    public void Name_of_a_generated_route_is_a_subdomain_of_at_most_60_characters() =>
        Gen.Select(Label, Subdomain)
            .Sample(
                (@namespace, route) =>
                {
                    var name = GeneratedNames.ForRoute(@namespace, route);

                    Dns1123().IsMatch(name).Should().BeTrue("{0} must be a subdomain", name);
                    name.Length.Should().BeLessThanOrEqualTo(60);
                }
            );

    [Fact]
    public void Name_with_suffix_is_valid_short_and_different() =>
        Gen.Select(Label, Subdomain, AnyText)
            .Sample(
                (@namespace, route, uid) =>
                {
                    var route1 = GeneratedNames.ForRoute(@namespace, route);
                    var name = GeneratedNames.WithSuffix(route1, uid);
                    var service = GeneratedNames.WithSuffix(GeneratedNames.ForService(@namespace, route, uid), uid);

                    name.Should().NotBe(route1).And.HaveLength(Math.Min(name.Length, 59));
                    Dns1123().IsMatch(name).Should().BeTrue("{0} must be a subdomain", name);
                    Dns1035().IsMatch(service).Should().BeTrue("{0} must be a label", service);
                    service.Length.Should().BeLessThan(60);
                }
            );

    [Fact]
    public void Name_of_a_node_port_Service_is_a_DNS_label() =>
        Label.Sample(service =>
        {
            foreach (var name in NodePortServiceNames.Candidates(service))
            {
                Dns1123Label().IsMatch(name).Should().BeTrue("{0} must be a label", name);
            }
        });

    [Fact]
    [Trait("Threat", "generated-names")]
    public void Unresolved_name_is_a_label_that_no_generated_object_has() =>
        Gen.Select(AnyText, AnyText)
            .Sample(
                (@namespace, name) =>
                {
                    var unresolved = UnresolvedNames.For(@namespace, name);

                    Dns1035().IsMatch(unresolved).Should().BeTrue("{0} must be a label", unresolved);
                    unresolved.Length.Should().Be(63);
                }
            );

    private static string Cut(string name) => name.Length <= 253 ? name : name[..253].TrimEnd('-', '.');

    [GeneratedRegex(@"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?\z")]
    private static partial Regex Dns1035();

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\z")]
    private static partial Regex Dns1123Label();

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z")]
    private static partial Regex Dns1123();
}
