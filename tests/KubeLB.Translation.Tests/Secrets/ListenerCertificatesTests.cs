using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Secrets;
using KubeLB.Translation.Tests.Attachment;

namespace KubeLB.Translation.Tests.Secrets;

public sealed class ListenerCertificatesTests
{
    [Fact]
    public void SecretsOf_returns_each_Secret_of_terminating_listeners_once() =>
        ListenerCertificates
            .SecretsOf(
                Gateway(
                    Listener("HTTPS", null, new() { Name = "a" }, new() { Name = "a", Namespace = "apps" }),
                    Listener("HTTPS", null, new() { Name = "b", Namespace = "infra" }, new() { Name = "c", Kind = "ConfigMap" }),
                    Listener("TLS", "Terminate", new SecretObjectReference { Name = "d" }),
                    Listener("TLS", "Passthrough", new SecretObjectReference { Name = "e" }),
                    Listener("HTTP", null, new SecretObjectReference { Name = "f" }),
                    new Listener { Name = "none", Protocol = "HTTPS" }
                )
            )
            .Should()
            .Equal(("apps", "a"), ("infra", "b"), ("apps", "d"));

    [Fact]
    public void Certificates_of_listeners_without_TLS_are_not_evaluated() =>
        ListenerCertificates
            .Evaluate(Gateway(Listener("HTTP", null, new SecretObjectReference { Name = "missing" })), new TenantStub())
            .Should()
            .BeEmpty();

    [Fact]
    public void Gateway_without_listeners_has_no_certificates()
    {
        var gateway = new Gateway { Metadata = Gateway().Metadata };

        ListenerCertificates.Evaluate(gateway, new TenantStub()).Should().BeEmpty();
        ListenerCertificates.SecretsOf(gateway).Should().BeEmpty();
    }

    private static Gateway Gateway(params Listener[] listeners) =>
        new()
        {
            Metadata = new V1ObjectMeta { Name = "gw", NamespaceProperty = "apps" },
            Spec = new GatewaySpec { Listeners = [.. listeners] },
        };

    private static Listener Listener(string protocol, string? mode, params SecretObjectReference[] certificates) =>
        new()
        {
            Name = protocol,
            Protocol = protocol,
            Tls = new ListenerTls { Mode = mode, CertificateRefs = [.. certificates] },
        };
}
