using System.Globalization;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Messages;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Messages;

/// <summary>Conditions about fields of a tenant's object that KubeLB ignores or rejects.</summary>
internal static class FieldMessages
{
    private const string All = "Gateway, HTTPRoute, GRPCRoute";
    private const string Routes = "HTTPRoute, GRPCRoute";
    private const int MaxPathLength = 80;
    private const int MaxIgnoredPathLength = 60;
    private const int MaxValueLength = 40;

    /// <summary>A listener requires client certificates, which are not supported.</summary>
    [ReportedMessage(GatewayConditions.UnsupportedValue, On = "Gateway", Condition = "Accepted=False", Event = "Warning")]
    [ReportedMessage(
        GatewayConditions.UnsupportedValue,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public const string FrontendValidation =
        "Validation of client certificates (spec.tls.frontend) is not supported. The listener is not served, because it would be served "
        + "without the validation. Remove the field.";

    /// <summary>The object has a field that KubeLB rejects.</summary>
    [ReportedMessage(GatewayConditions.InvalidParameters, On = "Gateway", Condition = "Accepted=False", Event = "Warning")]
    [ReportedMessage(GatewayConditions.UnsupportedValue, On = All, Condition = "Accepted=False", Event = "Warning")]
    [ReportedMessage(
        GatewayConditions.UnsupportedValue,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    [ReportedMessage(
        GatewayConditions.InvalidParameters,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public static string Unsupported(string path, string why) => $"{Path(path)} is not supported: {why}. Remove the field.";

    /// <summary>A Gateway requests an address that the administrator has not permitted.</summary>
    [ReportedMessage(GatewayConditions.UnsupportedAddress, On = "Gateway", Condition = "Accepted=False", Event = "Warning")]
    [ReportedMessage(
        GatewayConditions.UnsupportedAddress,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public static string AddressNotPermitted(string address) =>
        $"spec.addresses: {address} is not permitted. "
        + "Remove the field, or ask the administrator of the management cluster to permit it in gatewayAPI.gatewayAddresses.";

    /// <summary>A filter has a type that KubeLB does not know.</summary>
    [ReportedMessage(GatewayConditions.UnsupportedValue, On = Routes, Condition = "Accepted=False", Event = "Warning")]
    [ReportedMessage(
        GatewayConditions.UnsupportedValue,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public static string UnsupportedFilter(string type, IEnumerable<string> supported) =>
        $"Filter type \"{MessageText.Quote(type, MaxValueLength)}\" is not supported; use {string.Join(", ", supported)}.";

    /// <summary>A value contains a control character.</summary>
    [ReportedMessage(GatewayConditions.UnsupportedValue, On = All, Condition = "Accepted=False", Event = "Warning")]
    [ReportedMessage(
        GatewayConditions.UnsupportedValue,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public static string ControlCharacter(string path) => $"{Path(path)} contains a control character, such as a line break. Remove it.";

    /// <summary>A header value has a command operator of Envoy that is not permitted, or is malformed.</summary>
    [ReportedMessage(GatewayConditions.UnsupportedValue, On = Routes, Condition = "Accepted=False", Event = "Warning")]
    [ReportedMessage(
        GatewayConditions.UnsupportedValue,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public static string HeaderValueNotPermitted(string location, string header, string value) =>
        $"{location}: header {MessageText.Quote(header, MaxValueLength)} has value \"{MessageText.Quote(value, MaxValueLength)}\"; "
        + "use %REQ(name)% or another permitted operator, and %% for a percent sign.";

    /// <summary>A rule configures more retries than the administrator permits.</summary>
    [ReportedMessage(GatewayConditions.UnsupportedValue, On = "HTTPRoute", Condition = "Accepted=False", Event = "Warning")]
    [ReportedMessage(
        GatewayConditions.UnsupportedValue,
        On = "Route",
        Condition = "Accepted=False",
        Event = "Warning",
        Reader = MessageReader.Administrator
    )]
    public static string TooManyAttempts(long attempts, int maximum) =>
        $"retry.attempts of a rule is {attempts.ToString(CultureInfo.InvariantCulture)}; "
        + $"the maximum is {maximum.ToString(CultureInfo.InvariantCulture)}. "
        + "Lower it, or ask the administrator of the management cluster to raise gatewayAPI.maxRetries.";

    /// <summary>Part of <see cref="IgnoredAnnotation"/>: retry annotations are read on routes only.</summary>
    public const string SetOnRoutes = "Set it on the HTTPRoute or GRPCRoute.";

    /// <summary>Part of <see cref="IgnoredAnnotation"/>: no similar annotation is supported.</summary>
    public const string RemoveAnnotation = "KubeLB does not support it: remove it.";

    /// <summary>Part of <see cref="IgnoredAnnotation"/>: the annotation is misspelt.</summary>
    public static string DidYouMean(string key) => $"Did you mean {key}?";

    /// <summary>An annotation of KubeLB or Envoy Gateway has no effect.</summary>
    [ReportedMessage(RouteConditions.UnsupportedField, On = All, Condition = "kubelb.k8c.io/FieldsIgnored=True", Event = "Warning")]
    public static string IgnoredAnnotation(string key, int count, string remedy) =>
        count == 1 ? $"Annotation {key} has no effect. {remedy}" : $"Annotation {key} and {count - 1} more have no effect. {remedy}";

    /// <summary>Fields were ignored.</summary>
    [ReportedMessage(
        RouteConditions.UnsupportedField,
        On = All,
        Condition = "kubelb.k8c.io/FieldsIgnored=True",
        Event = "Warning",
        Remedy = "Remove the fields."
    )]
    public static string Ignored(IReadOnlyList<string> paths, int count)
    {
        const int maxLength = 130;
        var listed = new List<string>();
        foreach (var path in paths.Select(path => Path(path, MaxIgnoredPathLength)))
        {
            if (listed.Sum(l => l.Length) + path.Length > maxLength)
            {
                break;
            }

            listed.Add(path);
        }

        var more = count > listed.Count ? $" and {count - listed.Count} more" : "";
        return $"Ignored, because KubeLB does not support them: {string.Join(", ", listed)}{more}.";
    }

    /// <summary>A field has the wrong JSON type; part of <see cref="RouteMessages.InvalidSpec"/>.</summary>
    public static string WrongType(string path, string expected) => $"{Path(path)} must be {expected}";

    // The end of a long path names the field.
    private static string Path(string path, int maxLength = MaxPathLength) =>
        path.Length <= maxLength ? MessageText.Quote(path, maxLength) : "…" + MessageText.Quote(path[^(maxLength - 1)..], maxLength);
}
