using System.Buffers.Text;
using System.Text;
using KubeLB.Api.Serialization;

namespace KubeLB.Api.Tests.Serialization;

public sealed class ServiceAccountTokenTests
{
    private const string Legacy = """
        {"iss":"kubernetes/serviceaccount","kubernetes.io/serviceaccount/namespace":"tenant-t1",
         "kubernetes.io/serviceaccount/secret.name":"kubelb-ccm","kubernetes.io/serviceaccount/service-account.uid":"u-1"}
        """;

    [Theory]
    [InlineData(Legacy, "u-1", "kubelb-ccm")]
    [InlineData("""{"kubernetes.io":{"namespace":"tenant-t1","serviceaccount":{"name":"kubelb-ccm","uid":"u-2"}}}""", "u-2", null)]
    [InlineData("""{"kubernetes.io":{"serviceaccount":"u-2"}}""", null, null)]
    [InlineData("""{"kubernetes.io":null,"kubernetes.io/serviceaccount/service-account.uid":7}""", null, null)]
    [InlineData("""{"kubernetes.io/serviceaccount/service-account.uid":"\ud800"}""", null, null)]
    [InlineData("""{"kubernetes.io/serviceaccount/secret.name":["a"]}""", null, null)]
    [InlineData("[]", null, null)]
    [InlineData("{", null, null)]
    [InlineData("", null, null)]
    public void Account_and_Secret_are_read_from_the_claims(string claims, string? uid, string? secret)
    {
        ServiceAccountToken.AccountUid(Token(claims)).Should().Be(uid);
        ServiceAccountToken.SecretName(Token(claims)).Should().Be(secret);
    }

    [Theory]
    [InlineData("")]
    [InlineData("opaque")]
    [InlineData("a.b")]
    [InlineData("a.*.c")]
    [InlineData("a.e30.c.d")]
    public void Claims_of_an_invalid_token_are_null(string token)
    {
        ServiceAccountToken.AccountUid(token).Should().BeNull();
        ServiceAccountToken.SecretName(token).Should().BeNull();
    }

    private static string Token(string claims) => $"e30.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}.c2ln";
}
