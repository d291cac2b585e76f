using System.Text;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Secrets;

namespace KubeLB.Translation.Tests.Secrets;

public sealed class SyncSecretTranslatorTests
{
    [Theory]
    [InlineData("kubernetes.io/service-account-token")]
    [InlineData("bootstrap.kubernetes.io/token")]
    [InlineData("helm.sh/release.v1")]
    public void Unsupported_type_is_not_synced(string type)
    {
        SyncSecretTranslator.Translate(Secret(type), "tenant-t").Should().BeNull();
        SyncSecretTranslator.Translate(OfUser(type), "tenant-t").Should().BeNull();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Opaque")]
    public void Secret_without_a_type_is_synced_as_Opaque(string? type)
    {
        SyncSecretTranslator.Translate(Secret(type), "tenant-t")!.Type.Should().Be("Opaque");
        SyncSecretTranslator.Translate(OfUser(type), "tenant-t")!.Type.Should().Be("Opaque");
    }

    [Fact]
    public void SyncSecret_is_synced_without_the_keys_that_its_type_does_not_have()
    {
        var source = OfUser("kubernetes.io/basic-auth");
        source.Data = new Dictionary<string, string> { ["username"] = "dQ==", ["token"] = "dA==" };
        source.StringData = new Dictionary<string, string> { ["password"] = "p", ["ca.crt"] = "c" };

        var synced = SyncSecretTranslator.Translate(source, "tenant-t")!;

        synced.Data.Should().Equal(new Dictionary<string, string> { ["username"] = "dQ==" });
        synced.StringData.Should().Equal(new Dictionary<string, string> { ["password"] = "p" });
    }

    [Fact]
    public void SyncSecret_without_content_is_synced_without_stringData()
    {
        var synced = SyncSecretTranslator.Translate(OfUser("Opaque"), "tenant-t")!;

        synced.Data.Should().BeEmpty();
        synced.StringData.Should().BeNull();
    }

    [Theory]
    [InlineData(63, false)]
    [InlineData(64, true)]
    public void Name_longer_than_a_label_is_annotated(int length, bool isAnnotated)
    {
        var source = Secret("Opaque");
        source.Metadata.Name = new string('n', length);

        var synced = SyncSecretTranslator.Translate(source, "tenant-t")!;

        (synced.Metadata.Annotations?.ContainsKey(Annotations.OriginName) == true).Should().Be(isAnnotated);
        SecretOrigin.Of(synced).Should().Be(new SecretOrigin("default", source.Metadata.Name));
    }

    private static V1Secret Secret(string? type) =>
        new()
        {
            Metadata = Metadata(),
            Type = type,
            Data = new Dictionary<string, byte[]> { ["token"] = Encoding.UTF8.GetBytes("t") },
        };

    private static SyncSecret OfUser(string? type) => new() { Metadata = Metadata(), Type = type };

    private static V1ObjectMeta Metadata() =>
        new()
        {
            Name = "s",
            NamespaceProperty = "default",
            Uid = "uid",
        };
}
