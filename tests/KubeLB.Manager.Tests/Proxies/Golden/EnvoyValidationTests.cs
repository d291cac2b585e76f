using k8s.Models;
using KubeLB.Api.Serialization;
using KubeLB.Manager.Certificates;
using KubeLB.Tests.Shared;
using KubeLB.Translation.Proxies;

namespace KubeLB.Manager.Tests.Proxies.Golden;

/// <summary>What the golden files hold, judged by Envoy itself: every bootstrap, and every configuration written as a static one.</summary>
public sealed class EnvoyValidationTests : IDisposable
{
    private static readonly GoldenFolder Workloads = new("KubeLB.Translation.Tests", "proxies", "proxies");

    private readonly string _folder = Directory.CreateTempSubdirectory("envoy-validation-").FullName;

    public static TheoryData<string> Snapshots => [.. SnapshotGoldenTests.Folder.Cases()];

    public static TheoryData<string> Bootstraps => [.. Workloads.Cases()];

    [Theory]
    [MemberData(nameof(Snapshots))]
    public Task Envoy_takes_every_configuration(string name) =>
        EnvoyBinary.ValidateAsync(
            EnvoyJson.Static(SnapshotCase.Build(SnapshotGoldenTests.Folder.Input(name)), SnapshotCase.Node).ToJsonString()
        );

    [Theory]
    [MemberData(nameof(Bootstraps))]
    public Task Envoy_takes_every_bootstrap(string name)
    {
        WriteCertificate();
        var arguments = ArgumentsOf(Workloads.Output(name));
        return EnvoyBinary.ValidateAsync(
            arguments[1].Replace(ProxyCertificateFiles.Folder, _folder, StringComparison.Ordinal),
            arguments[2..]
        );
    }

    [Theory]
    [MemberData(nameof(Bootstraps))]
    public void Every_bootstrap_is_an_argument(string name) =>
        ArgumentsOf(Workloads.Output(name))[..2]
            .Should()
            .SatisfyRespectively(option => option.Should().Be("--config-yaml"), bootstrap => bootstrap.Should().StartWith("{"));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string[] ArgumentsOf(string output)
    {
        var workload = Yaml.Read(output).First(d => d["kind"]!.GetValue<string>() is V1Deployment.KubeKind or V1DaemonSet.KubeKind);
        return [.. ApiJson.Read<V1PodTemplateSpec>(workload["spec"]!["template"]!).Spec.Containers.Single().Args];
    }

    private void WriteCertificate()
    {
        var now = DateTimeOffset.UtcNow;
        var authority = XdsAuthority.At(null, now);
        using var signing = authority.Signing.Load();
        var pair = CertificateIssuer.Client(
            signing!,
            CertificateSecrets.ClientName(new ProxyIdentity(SnapshotCase.Node, "3f09b8dc")),
            now,
            TimeSpan.FromDays(1)
        );
        foreach (var (file, content) in CertificateSecrets.WriteClient(SnapshotCase.Node, pair, authority.Trusted, "kubelb").Data)
        {
            File.WriteAllText(
                Path.Combine(_folder, file),
                System.Text.Encoding.UTF8.GetString(content).Replace(ProxyCertificateFiles.Folder, _folder, StringComparison.Ordinal)
            );
        }
    }
}
