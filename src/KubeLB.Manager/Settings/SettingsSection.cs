using KubeLB.Api;
using KubeLB.Api.Serialization;

namespace KubeLB.Manager.Settings;

/// <summary>Compares a section of Config or Tenant before and after a change, so that a change wakes only whom it concerns.</summary>
internal static class SettingsSection
{
    /// <summary>Whether two sections say the same; null is an absent one.</summary>
    public static bool Same(Extensible? before, Extensible? after) => Text(before) == Text(after);

    private static string? Text(Extensible? section) => section is null ? null : ApiJson.ToJson(section).ToJsonString();
}
