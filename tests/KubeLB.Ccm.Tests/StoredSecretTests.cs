using k8s.Models;
using KubeLB.Ccm.Routing;

namespace KubeLB.Ccm.Tests;

public sealed class StoredSecretTests
{
    [Theory]
    [InlineData("kubernetes.io/tls", false, false, new[] { "tls.crt", "tls.key" })]
    [InlineData("Opaque", true, true, new[] { "tls.crt", "tls.key", "other" })]
    [InlineData("Opaque", true, false, new string[0])]
    [InlineData("Opaque", false, true, new string[0])]
    [InlineData("kubernetes.io/service-account-token", true, true, new string[0])]
    public void Stored_Secret_keeps_data_only_if_it_may_be_copied(string type, bool isLabelled, bool isSynchronizerEnabled, string[] kept)
    {
        var secret = new V1Secret
        {
            Metadata = new V1ObjectMeta
            {
                Labels = isLabelled ? new Dictionary<string, string> { ["kubelb.k8c.io/managed-by"] = "kubelb" } : null,
                Annotations = new Dictionary<string, string> { ["kubectl.kubernetes.io/last-applied-configuration"] = "content" },
            },
            Type = type,
            Data = new Dictionary<string, byte[]>
            {
                ["tls.crt"] = [1],
                ["tls.key"] = [2],
                ["other"] = [3],
            },
        };

        var stored = StoredSecret.Reduce(secret, isSynchronizerEnabled);

        (stored.Data?.Keys ?? []).Should().BeEquivalentTo(kept);
        stored.Metadata.Annotations.Should().BeNull();
    }
}
