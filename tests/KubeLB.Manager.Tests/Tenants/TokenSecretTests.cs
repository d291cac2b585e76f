using System.Buffers.Text;
using System.Text;
using k8s.Models;
using KubeLB.Manager.Tenants;

namespace KubeLB.Manager.Tests.Tenants;

public sealed class TokenSecretTests
{
    private const string Legacy = """
        {"iss":"kubernetes/serviceaccount","kubernetes.io/serviceaccount/namespace":"tenant-t1",
         "kubernetes.io/serviceaccount/service-account.uid":"u-1"}
        """;
    private static readonly DateTime Then = new(2026, 11, 23, 0, 51, 36, DateTimeKind.Utc);
    private static readonly V1ServiceAccount Account = new()
    {
        Metadata = new V1ObjectMeta { Uid = "u-1", CreationTimestamp = Then },
    };

    [Fact]
    public void Token_with_annotation_belongs_to_the_named_account()
    {
        TokenSecret.BelongsTo(Secret("opaque", "u-1", age: -1), Account).Should().BeTrue();
        TokenSecret.BelongsTo(Secret(Token(Legacy), "u-2", age: 1), Account).Should().BeFalse("the token controller writes the annotation");
    }

    [Fact]
    public void Token_without_annotation_belongs_to_the_account_in_its_claims()
    {
        TokenSecret.BelongsTo(Secret(Token(Legacy), annotation: null, age: -1), Account).Should().BeTrue();
        TokenSecret.BelongsTo(Secret(Token(Legacy.Replace("u-1", "u-0")), annotation: null, age: 1), Account).Should().BeFalse();
    }

    [Fact]
    public void Token_without_UID_belongs_to_the_account_unless_older()
    {
        TokenSecret.BelongsTo(Secret("opaque", annotation: null, age: 0), Account).Should().BeTrue();
        TokenSecret.BelongsTo(Secret("opaque", annotation: null, age: 1), Account).Should().BeTrue();
        TokenSecret.BelongsTo(Secret("opaque", annotation: null, age: -1), Account).Should().BeFalse();
    }

    private static string Token(string claims) => $"e30.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}.c2ln";

    private static V1Secret Secret(string token, string? annotation, int age) =>
        new()
        {
            Metadata = new V1ObjectMeta
            {
                CreationTimestamp = Then.AddSeconds(age),
                Annotations = annotation is null
                    ? null
                    : new Dictionary<string, string> { ["kubernetes.io/service-account.uid"] = annotation },
            },
            Data = new Dictionary<string, byte[]> { ["token"] = Encoding.UTF8.GetBytes(token) },
        };
}
