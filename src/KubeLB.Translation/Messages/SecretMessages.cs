using KubeLB.Api.GatewayApi;
using KubeLB.Api.Messages;
using KubeLB.Api.V1Alpha1;

namespace KubeLB.Translation.Messages;

/// <summary>Conditions about the certificates of listeners, and about SyncSecrets. None of them quotes the content of a Secret.</summary>
internal static class SecretMessages
{
    /// <summary>All certificateRefs of a listener are invalid; the problems follow. The prefix is Envoy Gateway's.</summary>
    [ReportedMessage("InvalidCertificateRef", On = "Gateway", Condition = "ResolvedRefs=False", Event = "Warning")]
    public static string NoValidCertificate(IEnumerable<string> problems) => $"No valid secrets exist: {string.Join("; ", problems)}.";

    /// <summary>Some certificateRefs of a listener are invalid; the problems follow.</summary>
    [ReportedMessage("PartiallyInvalidCertificateRef", On = "Gateway", Condition = "ResolvedRefs=False", Event = "Warning")]
    public static string SomeCertificatesInvalid(IEnumerable<string> problems) =>
        $"Some secrets are invalid: {string.Join("; ", problems)}.";

    /// <summary>One certificateRef of a listener is invalid; the problem follows.</summary>
    [ReportedMessage("InvalidCertificateRef", On = "Gateway", Condition = "ResolvedRefs=False", Event = "Warning")]
    public static string CertificateRef(int index, string problem) => $"certificate refs {index}: {problem.TrimEnd('.')}";

    /// <summary>Start of <see cref="CertificatePending"/>, by which GatewayStatusEvents recognizes the condition.</summary>
    public const string CertificatePendingStart = "The certificate of Secret ";

    /// <summary>A valid certificate has not arrived in the management cluster yet.</summary>
    [ReportedMessage(GatewayConditions.Pending, On = "Gateway", Condition = "ResolvedRefs=Unknown")]
    public static string CertificatePending(IEnumerable<string> secrets) =>
        $"{CertificatePendingStart}{string.Join(", ", secrets)} is being copied to the management cluster.";

    /// <summary>A certificateRef refers to an object that is not a Secret.</summary>
    [ReportedMessage(
        "InvalidCertificateRef",
        On = "Gateway",
        Condition = "ResolvedRefs=False",
        Event = "Warning",
        Remedy = "Use a Secret."
    )]
    public static string UnsupportedCertificateKind(string kind, string group) =>
        $"kind {kind} of group \"{group}\" is not supported; use a Secret of the core group";

    /// <summary>The Secret of a certificateRef does not exist.</summary>
    [ReportedMessage("InvalidCertificateRef", On = "Gateway", Condition = "ResolvedRefs=False", Event = "Warning")]
    public static string NotFound(string @namespace, string name) =>
        $"Secret {@namespace}/{name} does not exist; create it with: {CreateSecret(@namespace, name)}";

    /// <summary>A listener of protocol HTTPS has no certificateRef.</summary>
    [ReportedMessage("InvalidCertificateRef", On = "Gateway", Condition = "ResolvedRefs=False", Event = "Warning")]
    public static string NoCertificateRef(string @namespace) =>
        "Protocol HTTPS requires a certificate. Set tls.certificateRefs to a Secret created with: " + $"{CreateSecret(@namespace, "NAME")}";

    /// <summary>The Secret of a certificateRef is not of type kubernetes.io/tls.</summary>
    [ReportedMessage("InvalidCertificateRef", On = "Gateway", Condition = "ResolvedRefs=False", Event = "Warning")]
    public static string WrongType(string secret, string type, string requiredType) =>
        $"Secret {secret} is of type {type}, must be of type {requiredType}";

    /// <summary>The Secret of a certificateRef lacks the certificate or the private key.</summary>
    [ReportedMessage("InvalidCertificateRef", On = "Gateway", Condition = "ResolvedRefs=False", Event = "Warning")]
    public static string MissingKeys(string secret, string certificateKey, string privateKeyKey) =>
        $"Secret {secret} must contain {certificateKey} and {privateKeyKey}";

    /// <summary>The certificate is not valid PEM.</summary>
    [ReportedMessage("InvalidCertificateRef", On = "Gateway", Condition = "ResolvedRefs=False", Event = "Warning")]
    public static string InvalidCertificate(string secret, string key) => $"Secret {secret}: {key} does not hold a valid PEM certificate";

    /// <summary>The private key is encrypted.</summary>
    [ReportedMessage("InvalidCertificateRef", On = "Gateway", Condition = "ResolvedRefs=False", Event = "Warning")]
    public static string EncryptedKey(string secret, string key) =>
        $"Secret {secret}: {key} is encrypted; store the private key without a passphrase";

    /// <summary>There is no private key in PEM format.</summary>
    [ReportedMessage("InvalidCertificateRef", On = "Gateway", Condition = "ResolvedRefs=False", Event = "Warning")]
    public static string InvalidKey(string secret, string key) => $"Secret {secret}: {key} does not hold a PEM private key";

    /// <summary>The private key is invalid or belongs to another certificate.</summary>
    [ReportedMessage("InvalidCertificateRef", On = "Gateway", Condition = "ResolvedRefs=False", Event = "Warning")]
    public static string KeyMismatch(string secret, string certificateKey, string privateKeyKey) =>
        $"Secret {secret}: the private key in {privateKeyKey} is invalid or does not match the certificate in {certificateKey}";

    /// <summary>A SyncSecret is in a namespace that no tenant owns.</summary>
    [ReportedMessage(
        SyncSecretConditions.SyncFailed,
        On = "SyncSecret",
        Condition = "Synced=False",
        Reader = MessageReader.Administrator,
        Remedy = "Delete the SyncSecret."
    )]
    public static string NamespaceNotAllowed(string @namespace) =>
        $"SyncSecrets are only allowed in a tenant namespace (tenant-<name>); {@namespace} is not one.";

    /// <summary>The type of a SyncSecret is not supported.</summary>
    [ReportedMessage(
        SyncSecretConditions.SyncFailed,
        On = "SyncSecret",
        Condition = "Synced=False",
        Reader = MessageReader.Administrator,
        Remedy = "Use another type."
    )]
    public static string UnsupportedType(string type, IEnumerable<string> supportedTypes) =>
        $"type \"{type}\" is not supported; use {string.Join(", ", supportedTypes)}.";

    /// <summary>The data of a SyncSecret exceeds the size of a Secret.</summary>
    [ReportedMessage(
        SyncSecretConditions.SyncFailed,
        On = "SyncSecret",
        Condition = "Synced=False",
        Reader = MessageReader.Administrator,
        Remedy = "Reduce the tenant's Secret."
    )]
    public static string TooLarge(int limit) => $"data exceeds {limit} bytes; reduce the size of the tenant's Secret.";

    /// <summary>A SyncSecret of type kubernetes.io/tls lacks the certificate or the private key.</summary>
    [ReportedMessage(SyncSecretConditions.SyncFailed, On = "SyncSecret", Condition = "Synced=False", Reader = MessageReader.Administrator)]
    public static string MissingDataKeys(string type, string certificateKey, string privateKeyKey) =>
        $"data of type {type} must contain {certificateKey} and {privateKeyKey}.";

    /// <summary>A key of a SyncSecret's data is not a valid key of a Secret. It is not quoted: it may be part of the content.</summary>
    [ReportedMessage(
        SyncSecretConditions.SyncFailed,
        On = "SyncSecret",
        Condition = "Synced=False",
        Reader = MessageReader.Administrator,
        Remedy = "Rename the key in the tenant's Secret."
    )]
    public static string InvalidDataKey(int maxLength) =>
        $"a key of data is invalid; keys must have at most {maxLength} characters, only letters, digits, '-', '_' and '.'.";

    private static string CreateSecret(string @namespace, string name) =>
        $"kubectl -n {@namespace} create secret tls {name} --cert=FILE --key=FILE";

    /// <summary>A value of a SyncSecret's data is not base64.</summary>
    [ReportedMessage(SyncSecretConditions.SyncFailed, On = "SyncSecret", Condition = "Synced=False", Reader = MessageReader.Administrator)]
    public static string InvalidBase64(string key) => $"data.{key} is not valid base64.";
}
