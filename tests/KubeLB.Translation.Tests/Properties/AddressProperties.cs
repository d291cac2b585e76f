using System.Net;
using CsCheck;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Endpoints;

namespace KubeLB.Translation.Tests.Properties;

/// <summary>What holds for every address, whoever wrote it.</summary>
public sealed class AddressProperties
{
    private const string Alphabet = "0123456789abcdefxX.:%[]/-*@ \n";

    private static readonly string[] Denied = ["10.0.0.0/8", "fd00::/8", "100.64.0.0/10"];

    private static readonly Gen<string> IPv4 = Gen.Byte.Array[4].Select(bytes => string.Join('.', bytes));

    private static readonly Gen<string> IPv6 = Gen.Byte.Array[16].Select(bytes => new IPAddress(bytes).ToString());

    private static readonly string[] Prefixes =
    [
        "127.",
        "169.254.",
        "224.",
        "0.",
        "10.",
        "::ffff:",
        "::ffff:10.",
        "fe80::",
        "fd00::",
        "ff02::",
        "64:ff9b::",
        "64:ff9b:1::",
        "::ffff:0:",
        "2001:0:",
        "2002:7f00:",
        "::",
        "0x",
        "0",
    ];

    private static readonly Gen<string> Special = Gen.Select(Gen.Int[0, Prefixes.Length - 1], IPv4)
        .Select((prefix, rest) => Prefixes[prefix] + rest[(rest.IndexOf('.') + 1)..]);

    private static readonly Gen<string> Noise = Gen.Char[Alphabet].Array[0, 60].Select(chars => new string(chars));

    private static readonly Gen<string> Texts = Gen.OneOf(IPv4, IPv6, Special, Noise);

    private static readonly Gen<List<EndpointAddress>> Lists = Gen.Select(Texts, Gen.Bool)
        .Select((text, isIp) => isIp ? new EndpointAddress { Ip = text } : new EndpointAddress { Hostname = text })
        .List[0, 30];

    [Fact]
    [Trait("Threat", "address-notation")]
    public void Used_address_is_canonical_and_not_denied() =>
        Lists.Sample(
            list =>
            {
                foreach (
                    var endpoint in new AddressPolicy(null, new AddressSettings { Deny = [.. Denied] })
                        .Evaluate(list)
                        .Select(v => v.Endpoint)
                        .OfType<string>()
                )
                {
                    if (!IPAddress.TryParse(endpoint, out var address))
                    {
                        endpoint.Should().MatchRegex(@"^([a-z0-9-]+\.){2,}$", "a host name is absolute");
                        endpoint.TrimEnd('.').Split('.')[^1].Should().MatchRegex("[a-z-]", "no resolver takes it for a number");
                        continue;
                    }

                    address.ToString().Should().Be(endpoint);
                    IPAddress.IsLoopback(address).Should().BeFalse();
                    address.IsIPv4MappedToIPv6.Should().BeFalse();
                    address.IsIPv6Multicast.Should().BeFalse();
                    address.IsIPv6LinkLocal.Should().BeFalse();
                    Denied.Select(IPNetwork.Parse).Any(network => network.Contains(address)).Should().BeFalse();
                    address.IsIPv6Teredo.Should().BeFalse();
                    var bytes = address.GetAddressBytes();
                    (bytes.Length == 4 && (bytes[0] is 0 or 127 or >= 224 || (bytes[0] == 169 && bytes[1] == 254))).Should().BeFalse();
                }
            },
            iter: 5_000
        );

    [Fact]
    public void Every_address_has_one_result_and_endpoints_are_distinct() =>
        Lists.Sample(
            list =>
            {
                var verdicts = new AddressPolicy(null, null).Evaluate(list);

                verdicts.Should().HaveCount(list.Count);
                verdicts.Count(v => (v.Endpoint is null) == (v.Problem is null)).Should().Be(0);
                verdicts.Select(v => v.Endpoint).OfType<string>().Should().OnlyHaveUniqueItems();
            },
            iter: 2_000
        );

    [Fact]
    public void Result_of_an_address_is_independent_of_the_others() =>
        Gen.Select(Lists, Texts)
            .Sample(
                (list, text) =>
                {
                    var alone = new AddressPolicy(null, null).Evaluate([new EndpointAddress { Ip = text }])[0];
                    var among = new AddressPolicy(null, null).Evaluate([.. list, new EndpointAddress { Ip = text }])[^1];

                    (among.Endpoint ?? among.Problem).Should().BeOneOf(alone.Endpoint ?? alone.Problem!, "it is listed more than once.");
                },
                iter: 2_000
            );
}
