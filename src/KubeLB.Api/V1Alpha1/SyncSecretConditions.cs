namespace KubeLB.Api.V1Alpha1;

/// <summary>Phases, condition type and reasons of a <see cref="SyncSecret"/>'s status.</summary>
public static class SyncSecretConditions
{
    /// <summary>Type: the content is in a Secret.</summary>
    public const string Synced = "Synced";

    /// <summary>Reason: the content could not be written to a Secret.</summary>
    public const string SyncFailed = "SyncFailed";

    /// <summary>Message of a success.</summary>
    public const string SuccessMessage = "Secret synced successfully";

    /// <summary>Phase: the content is in a Secret. Also the reason of <see cref="Synced"/> when it is True.</summary>
    public const string SyncedPhase = "Synced";

    /// <summary>Phase: the content could not be written to a Secret.</summary>
    public const string FailedPhase = "Failed";
}
