using System.Globalization;
using k8s;
using k8s.Models;

namespace KubeLB.Benchmarks;

/// <summary>ConfigMaps created by parallel KubernetesClient callers, each with a client of its own.</summary>
internal static class Load
{
    public const int Callers = 16;

    public static Task CreateAsync(Func<IKubernetes> connect, string prefix, int count, int payloadBytes = 1)
    {
        var payload = new string('v', payloadBytes);
        return Task.WhenAll(
            Enumerable
                .Range(0, Callers)
                .Select(async caller =>
                {
                    using var client = connect();
                    for (var i = caller; i < count; i += Callers)
                    {
                        await client.CoreV1.CreateNamespacedConfigMapAsync(
                            ConfigMap($"{prefix}-{i.ToString(CultureInfo.InvariantCulture)}", payload),
                            "default"
                        );
                    }
                })
        );
    }

    public static V1ConfigMap ConfigMap(string name, string payload) =>
        new()
        {
            Metadata = new V1ObjectMeta { Name = name },
            Data = new Dictionary<string, string> { ["k"] = payload },
        };
}
