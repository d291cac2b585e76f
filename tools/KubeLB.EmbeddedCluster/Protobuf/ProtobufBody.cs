using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace KubeLB.EmbeddedCluster.Protobuf;

/// <summary>Decodes objects in Kubernetes' protobuf encoding: <c>k8s\0</c>, an envelope with kind and version, the object.</summary>
internal static class ProtobufBody
{
    public const string MediaType = "application/vnd.kubernetes.protobuf";

    /// <exception cref="FormatException">
    /// The data is malformed, or has a field that <see cref="ProtobufTypes"/> does not define; unknown fields are never ignored.
    /// </exception>
    public static JsonObject Parse(ReadOnlySpan<byte> body)
    {
        if (!body.StartsWith("k8s\0"u8))
        {
            throw new FormatException("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
        }
        var kind = "";
        var version = "";
        ReadOnlySpan<byte> raw = [];
        var envelope = new ProtobufReader(body[4..]);
        while (envelope.Next(out var number, out var wire))
        {
            switch (number)
            {
                case 1:
                    var type = new ProtobufReader(envelope.Bytes(wire));
                    while (type.Next(out var part, out var partWire))
                    {
                        var text = Encoding.UTF8.GetString(type.Bytes(partWire));
                        (version, kind) = part == 1 ? (text, kind) : (version, text);
                    }
                    break;
                case 2:
                    raw = envelope.Bytes(wire);
                    break;
                default:
                    envelope.Bytes(wire);
                    break;
            }
        }
        var tree = new JsonObject { ["kind"] = kind, ["apiVersion"] = version };
        Read(raw, kind, tree, kind);
        return tree;
    }

    private static void Read(ReadOnlySpan<byte> content, string type, JsonObject into, string path)
    {
        if (type == "Ignored")
        {
            return;
        }
        var members =
            ProtobufTypes.Find(type)
            ?? throw new FormatException($"this embedded cluster does not support objects of kind {type} in protobuf; send JSON");
        var reader = new ProtobufReader(content);
        while (reader.Next(out var number, out var wire))
        {
            if (!members.TryGetValue(number, out var member))
            {
                if (reader.IsZero(wire))
                {
                    continue;
                }
                throw new FormatException(
                    $"this embedded cluster does not support field {number} of {path} ({type}) in protobuf; send JSON"
                );
            }
            var memberPath = $"{path}.{member.Name}";
            if (member.Map)
            {
                ReadEntry(reader.Bytes(wire), member, into, memberPath);
            }
            else if (ReadValue(ref reader, wire, member, memberPath) is { } value)
            {
                Put(into, member, value);
            }
        }
    }

    private static void Put(JsonObject into, ProtobufMember member, JsonNode value)
    {
        if (!member.Repeated)
        {
            into[member.Name] = value;
            return;
        }
        if (into[member.Name] is not JsonArray list)
        {
            into[member.Name] = list = [];
        }
        list.Add(value);
    }

    private static void ReadEntry(ReadOnlySpan<byte> content, ProtobufMember member, JsonObject into, string path)
    {
        var key = "";
        JsonNode? value = null;
        var entry = new ProtobufReader(content);
        while (entry.Next(out var number, out var wire))
        {
            if (number == 1)
            {
                key = Encoding.UTF8.GetString(entry.Bytes(wire));
            }
            else
            {
                value = ReadValue(ref entry, wire, member with { Repeated = true }, path);
            }
        }
        if (into[member.Name] is not JsonObject map)
        {
            into[member.Name] = map = [];
        }
        map[key] = value ?? JsonValue.Create("");
    }

    /// <summary>A value; null for zero values that Go writes for unset fields.</summary>
    private static JsonNode? ReadValue(ref ProtobufReader reader, int wire, ProtobufMember member, string path)
    {
        switch (member.Form)
        {
            case ProtobufForm.Integer:
                var integer = (long)reader.Varint(wire);
                return integer == 0 && member.Name is not ("replicas" or "gracePeriodSeconds" or "value")
                    ? null
                    : JsonValue.Create(integer);
            case ProtobufForm.Boolean:
                var flag = reader.Varint(wire) != 0;
                return flag || member.Name is "automountServiceAccountToken" or "orphanDependents" or "allocateLoadBalancerNodePorts"
                    ? JsonValue.Create(flag)
                    : null;
            case ProtobufForm.Bytes:
                return JsonValue.Create(Convert.ToBase64String(reader.Bytes(wire)));
            case ProtobufForm.Text:
                var text = Encoding.UTF8.GetString(reader.Bytes(wire));
                return text.Length == 0 && !member.Repeated ? null : JsonValue.Create(text);
            case ProtobufForm.Time:
                return ReadTime(reader.Bytes(wire));
            case ProtobufForm.Quantity:
                var quantity = new ProtobufReader(reader.Bytes(wire));
                return quantity.Next(out _, out var quantityWire)
                    ? JsonValue.Create(Encoding.UTF8.GetString(quantity.Bytes(quantityWire)))
                    : null;
            case ProtobufForm.IntOrString:
                return ReadIntOrString(reader.Bytes(wire));
            default:
                var message = new JsonObject();
                Read(reader.Bytes(wire), member.Type, message, path);
                return
                    member.Type == "Ignored" || (message.Count == 0 && !member.Repeated && member.Name is not ("resources" or "selector"))
                    ? null
                    : message;
        }
    }

    private static JsonValue? ReadTime(ReadOnlySpan<byte> content)
    {
        var reader = new ProtobufReader(content);
        long seconds = 0;
        while (reader.Next(out var number, out var wire))
        {
            var value = (long)reader.Varint(wire);
            seconds = number == 1 ? value : seconds;
        }
        return seconds is 0 or < -62_135_596_800 or > 253_402_300_799 || seconds == -62_135_596_800
            ? null
            : JsonValue.Create(
                DateTimeOffset.FromUnixTimeSeconds(seconds).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)
            );
    }

    private static JsonValue ReadIntOrString(ReadOnlySpan<byte> content)
    {
        var reader = new ProtobufReader(content);
        var isText = false;
        long integer = 0;
        var text = "";
        while (reader.Next(out var number, out var wire))
        {
            switch (number)
            {
                case 1:
                    isText = reader.Varint(wire) == 1;
                    break;
                case 2:
                    integer = (long)reader.Varint(wire);
                    break;
                default:
                    text = Encoding.UTF8.GetString(reader.Bytes(wire));
                    break;
            }
        }
        return isText ? JsonValue.Create(text) : JsonValue.Create(integer);
    }
}
