using System.Text.Json;
using System.Text.Json.Serialization;
using k8s;
using k8s.Models;

namespace KubeLB.Runtime.Tests.Fakes;

/// <summary>A custom resource: a plain class that preserves unknown fields.</summary>
[KubernetesEntity(Group = "example.com", ApiVersion = "v1alpha1", Kind = "Widget", PluralName = "widgets")]
public sealed class Widget : IKubernetesObject<V1ObjectMeta>
{
    public string ApiVersion { get; set; } = null!;

    public string Kind { get; set; } = null!;

    public V1ObjectMeta Metadata { get; set; } = new();

    public WidgetSpec? Spec { get; set; }

    public WidgetStatus? Status { get; set; }

    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; set; }

    public static Widget Named(string name, string ns = "default", string? colour = null, int? size = null) =>
        new()
        {
            Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = ns },
            Spec = new WidgetSpec { Colour = colour, Size = size },
        };
}

public sealed class WidgetSpec
{
    public string? Colour { get; set; }

    public int? Size { get; set; }

    public IDictionary<string, string>? Selector { get; set; }

    public IList<WidgetPort>? Ports { get; set; }

    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; set; }
}

public sealed class WidgetPort
{
    public int Port { get; set; }

    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; set; }
}

public sealed class WidgetStatus
{
    public string? Phase { get; set; }

    public DateTime? Since { get; set; }

    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; set; }
}
