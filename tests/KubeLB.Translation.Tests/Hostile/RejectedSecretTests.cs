using System.Text;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Secrets;

namespace KubeLB.Translation.Tests.Hostile;

/// <summary>SyncSecrets that a tenant could write. Messages about rejected ones do not disclose the content.</summary>
public sealed class RejectedSecretTests
{
    private const string Content = "hunter2";

    [Theory]
    [InlineData("kubernetes.io/service-account-token")]
    [InlineData("bootstrap.kubernetes.io/token")]
    [InlineData("helm.sh/release.v1")]
    [InlineData("opaque")]
    [InlineData("kubernetes.io/TLS")]
    [Trait("Threat", "secret-types")]
    public void Unsupported_Secret_type_is_rejected(string type) =>
        Problem(Secret(type)).Should().StartWith($"type \"{type}\" is not supported; use kubernetes.io/tls");

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("..data")]
    [InlineData("a/b")]
    [InlineData("../x")]
    [InlineData("a b")]
    [InlineData("a\n")]
    [InlineData("\u0430")]
    [Trait("Threat", "secret-keys")]
    public void Invalid_Secret_key_is_rejected(string key) => Problem(Secret("Opaque", key)).Should().StartWith("a key of data is invalid");

    [Fact]
    public void Invalid_key_of_stringData_is_rejected()
    {
        var source = Secret("Opaque");
        source.StringData = new Dictionary<string, string> { ["../x"] = Content };

        Problem(source).Should().StartWith("a key of data is invalid");
    }

    [Fact]
    public void StringData_is_copied_and_takes_precedence_over_data()
    {
        var source = Secret("Opaque");
        source.StringData = new Dictionary<string, string> { ["password"] = "new", ["user"] = "u" };

        SecretCopyTranslator
            .Translate(source)
            .Secret!.Data.ToDictionary(d => d.Key, d => Encoding.UTF8.GetString(d.Value))
            .Should()
            .Equal(new Dictionary<string, string> { ["password"] = "new", ["user"] = "u" });
    }

    [Fact]
    public void Secret_key_of_253_characters_is_accepted()
    {
        var key = new string('k', 253);

        SecretCopyTranslator.Translate(Secret("Opaque", key)).Secret!.Data.Keys.Should().Equal(key);
    }

    [Fact]
    [Trait("Threat", "secret-keys")]
    public void Secret_key_of_more_than_253_characters_is_rejected() =>
        Problem(Secret("Opaque", new string('k', 254))).Should().StartWith("a key of data is invalid");

    [Theory]
    [InlineData("tls.crt")]
    [InlineData("tls.key")]
    [Trait("Threat", "secret-keys")]
    public void Certificate_without_private_key_or_reverse_is_rejected(string only) =>
        Problem(Secret("kubernetes.io/tls", only)).Should().Contain("must contain tls.crt and tls.key");

    [Fact]
    [Trait("Threat", "secret-keys")]
    public void Keys_that_the_type_does_not_have_are_omitted()
    {
        var source = Secret("kubernetes.io/basic-auth", "username");
        source.Data!["token"] = source.Data["username"];

        SecretCopyTranslator.Translate(source).Secret!.Data.Keys.Should().Equal("username");
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    [Trait("Threat", "secret-size")]
    public void Data_larger_than_a_Secret_is_rejected(int above, bool isAccepted)
    {
        var source = new SyncSecret
        {
            Metadata =
            {
                Name = "s",
                NamespaceProperty = "tenant-t",
                Uid = "u",
            },
            Type = "Opaque",
        };
        source.Data = new Dictionary<string, string>
        {
            ["a"] = Convert.ToBase64String(new byte[SecretCopyTranslator.MaxSize / 2]),
            ["b"] = Convert.ToBase64String(new byte[(SecretCopyTranslator.MaxSize / 2) + above]),
        };

        var (secret, problem) = SecretCopyTranslator.Translate(source);

        (secret is not null).Should().Be(isAccepted);
        (problem?.Contains("exceeds 1048576 bytes") != true).Should().Be(isAccepted);
    }

    [Fact]
    [Trait("Threat", "secret-content")]
    [Trait("Threat", "secret-keys")]
    public void Invalid_base64_is_rejected()
    {
        var source = Secret("Opaque");
        source.Data!["password"] = "***" + Content;

        Problem(source).Should().Be("data.password is not valid base64.");
    }

    [Theory]
    [InlineData("kubelb")]
    [InlineData("kube-system")]
    public void SyncSecret_outside_of_tenant_namespaces_is_rejected(string @namespace)
    {
        var source = Secret("Opaque");
        source.Metadata.NamespaceProperty = @namespace;

        Problem(source).Should().Contain("only allowed in a tenant namespace");
    }

    [Fact]
    [Trait("Threat", "secret-names")]
    [Trait("Threat", "secret-metadata")]
    [Trait("Threat", "secret-changes")]
    public void Secret_is_rebuilt_and_named_after_the_UID()
    {
        var source = Secret("Opaque");
        source.Immutable = true;
        source.Metadata.Name = "kubelb-ccm-kubeconfig";
        source.Metadata.Labels = new Dictionary<string, string>
        {
            ["kubelb.k8c.io/tenant"] = "other",
            ["argocd.argoproj.io/secret-type"] = "cluster",
            ["team"] = "a",
        };
        source.Metadata.Annotations = new Dictionary<string, string>
        {
            ["kubernetes.io/service-account.name"] = "kubelb-ccm",
            ["replicator.v1.mittwald.de/replicate-to"] = "kubelb",
        };
        source.Metadata.OwnerReferences =
        [
            new k8s.Models.V1OwnerReference
            {
                ApiVersion = "v1",
                Kind = "Namespace",
                Name = "x",
                Uid = "y",
                BlockOwnerDeletion = true,
            },
        ];
        source.Metadata.Finalizers = ["example.com/hold"];

        var secret = SecretCopyTranslator.Translate(source).Secret!;

        secret.Metadata.Name.Should().Be("uid");
        secret.Metadata.NamespaceProperty.Should().Be("tenant-t");
        secret.Metadata.Labels.Should().Equal(new Dictionary<string, string> { ["kubelb.k8c.io/managed-by"] = "kubelb" });
        secret.Metadata.Annotations.Should().BeNullOrEmpty();
        secret.Metadata.Finalizers.Should().BeNullOrEmpty();
        secret.Metadata.OwnerReferences.Should().ContainSingle().Which.Uid.Should().Be("uid");
        secret.Immutable.Should().BeNull("the tenant may change its mind");
    }

    private static string Problem(SyncSecret source)
    {
        var (secret, problem) = SecretCopyTranslator.Translate(source);
        secret.Should().BeNull();
        problem.Should().NotContain(Content);
        return problem!;
    }

    private static SyncSecret Secret(string type, string key = "password") =>
        new()
        {
            Metadata =
            {
                Name = "s",
                NamespaceProperty = "tenant-t",
                Uid = "uid",
            },
            Type = type,
            Data = new Dictionary<string, string> { [key] = Convert.ToBase64String(Encoding.UTF8.GetBytes(Content)) },
        };
}
