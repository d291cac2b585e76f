using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace KubeLB.EmbeddedCluster.Errors;

/// <summary>A Kubernetes <c>Status</c> object: the response of every failed request and of a successful delete.</summary>
internal sealed record ApiStatus(int Code, string? Reason, string Message, StatusDetails? Details = null)
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The response of a successful delete.</summary>
    public static ApiStatus Deleted(string resource, string? group, string name, string uid) =>
        new(200, null, "", new StatusDetails(name, group, resource, uid));

    /// <summary>The object as JSON; members in the order Kubernetes writes them.</summary>
    public byte[] ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, WriterOptions))
        {
            json.WriteStartObject();
            json.WriteString("kind", "Status");
            json.WriteString("apiVersion", "v1");
            json.WriteStartObject("metadata");
            json.WriteEndObject();
            json.WriteString("status", Code < 400 ? "Success" : "Failure");
            if (Message.Length > 0)
            {
                json.WriteString("message", Message);
            }
            if (Reason is not null)
            {
                json.WriteString("reason", Reason);
            }
            WriteDetails(json);
            if (Code >= 400)
            {
                json.WriteNumber("code", Code);
            }
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private void WriteDetails(Utf8JsonWriter json)
    {
        if (Details is not { } details)
        {
            return;
        }
        json.WriteStartObject("details");
        WriteOptional(json, "name", details.Name);
        WriteOptional(json, "group", details.Group);
        WriteOptional(json, "kind", details.Kind);
        WriteOptional(json, "uid", details.Uid);
        if (details.Causes is { Count: > 0 } causes)
        {
            json.WriteStartArray("causes");
            foreach (var cause in causes)
            {
                json.WriteStartObject();
                WriteOptional(json, "reason", cause.Reason);
                WriteOptional(json, "message", cause.Message);
                WriteOptional(json, "field", cause.Field);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        if (details.RetryAfterSeconds > 0)
        {
            json.WriteNumber("retryAfterSeconds", details.RetryAfterSeconds);
        }
        json.WriteEndObject();
    }

    private static void WriteOptional(Utf8JsonWriter json, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            json.WriteString(name, value);
        }
    }
}

/// <summary>The <c>details</c> of a Status.</summary>
internal sealed record StatusDetails(
    string? Name = null,
    string? Group = null,
    string? Kind = null,
    string? Uid = null,
    IReadOnlyList<FieldError>? Causes = null,
    int RetryAfterSeconds = 0
);

/// <summary>Ends a request with an error Status.</summary>
internal sealed class ApiException(ApiStatus status) : Exception(status.Message)
{
    public ApiStatus Status { get; } = status;
}
