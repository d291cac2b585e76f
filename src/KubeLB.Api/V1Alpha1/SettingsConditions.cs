namespace KubeLB.Api.V1Alpha1;

/// <summary>Condition of a Tenant and of the Config that says what is wrong with their settings. There is none while nothing is.</summary>
public static class SettingsConditions
{
    /// <summary>Type: False while a setting cannot be used as it is written.</summary>
    public const string SettingsValid = "SettingsValid";

    /// <summary>Reason of False; the message names the fields, what is in force instead, and what to write.</summary>
    public const string InvalidSettings = "InvalidSettings";
}
