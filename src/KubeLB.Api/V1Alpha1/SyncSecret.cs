using k8s.Models;

namespace KubeLB.Api.V1Alpha1;

/// <summary>A Secret's content, synced to the management cluster. Named after the UID of the tenant's Secret.</summary>
[KubernetesEntity(Group = ApiGroups.Kubelb, ApiVersion = KubelbVersion.Name, Kind = KindName, PluralName = PluralName)]
public sealed class SyncSecret : ApiObject
{
    /// <summary>The kind.</summary>
    public const string KindName = "SyncSecret";

    /// <summary>The resource's plural name.</summary>
    public const string PluralName = "syncsecrets";

    /// <summary>An empty object of the right type.</summary>
    public SyncSecret()
    {
        ApiVersion = KubelbVersion.ApiVersion;
        Kind = KindName;
    }

    /// <summary>Type of the Secret, for example <c>kubernetes.io/tls</c>.</summary>
    public string? Type { get; set; }

    /// <summary>Content by key, base64.</summary>
    public Dictionary<string, string>? Data { get; set; }

    /// <summary>Content by key, plain; merged into <see cref="Data"/> by the reader.</summary>
    public Dictionary<string, string>? StringData { get; set; }

    /// <summary>Whether the Secret is immutable.</summary>
    public bool? Immutable { get; set; }

    /// <summary>Whether the content was synced.</summary>
    public SyncSecretStatus? Status { get; set; }

    /// <summary>Returns only the name, because logs must not contain the content of a Secret.</summary>
    public override string ToString() => $"SyncSecret {Namespace}/{Name} [redacted]";
}

/// <summary>Status of a <see cref="SyncSecret"/>.</summary>
public sealed class SyncSecretStatus : Extensible
{
    /// <summary>Generation that the status was computed for.</summary>
    public long? ObservedGeneration { get; set; }

    /// <summary><c>Synced</c> or <c>Failed</c>.</summary>
    public string? Phase { get; set; }

    /// <summary>Condition <c>Synced</c>.</summary>
    public List<Condition>? Conditions { get; set; }
}

/// <summary>Phases, condition type and reasons of a <see cref="SyncSecret"/>'s status.</summary>
public static class SyncSecretConditions
{
    /// <summary>Type: the content was written to a Secret.</summary>
    public const string Synced = "Synced";

    /// <summary>Reason: the content could not be written to a Secret.</summary>
    public const string SyncFailed = "SyncFailed";

    /// <summary>Message of a success.</summary>
    public const string SuccessMessage = "Secret synced successfully";

    /// <summary>Phase: the content was written to a Secret. Also the reason of <see cref="Synced"/> when it is True.</summary>
    public const string SyncedPhase = "Synced";

    /// <summary>Phase: the content could not be written to a Secret.</summary>
    public const string FailedPhase = "Failed";
}
