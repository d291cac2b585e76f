using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace KubeLB.Tests.Shared;

/// <summary>A receiver of traces over OTLP, by gRPC and by HTTP, which keeps all spans.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly ConcurrentQueue<ReceivedSpan> _spans = new();
    private readonly ConcurrentQueue<IReadOnlyDictionary<string, string>> _headers = new();
    private readonly WebApplication _app;

    private OtlpReceiver()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, listener => listener.Protocols = HttpProtocols.Http1);
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, listener => listener.Protocols = HttpProtocols.Http2);
        });
        _app = builder.Build();
        _app.Run(ReceiveAsync);
    }

    /// <summary>The URL for OTLP over HTTP, without a path.</summary>
    public Uri Http { get; private set; } = null!;

    /// <summary>The URL for OTLP over gRPC.</summary>
    public Uri Grpc { get; private set; } = null!;

    /// <summary>All spans so far, in the order of arrival.</summary>
    public IReadOnlyList<ReceivedSpan> Spans => [.. _spans];

    /// <summary>The headers of each request, with <c>:path</c>.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, string>> Headers => [.. _headers];

    public static async Task<OtlpReceiver> StartAsync()
    {
        var receiver = new OtlpReceiver();
        await receiver._app.StartAsync();
        var urls = receiver._app.Urls.Select(url => new Uri(url)).ToList();
        (receiver.Http, receiver.Grpc) = (urls[0], urls[1]);
        return receiver;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task ReceiveAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var headers = context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        headers[":path"] = context.Request.Path;
        _headers.Enqueue(headers);
        var isGrpc = context.Request.Path == "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
        if (!isGrpc && context.Request.Path != "/v1/traces")
        {
            context.Response.StatusCode = 404;
            return;
        }

        // A gRPC message has a flag and its length before it.
        foreach (var span in OtlpMessage.Read(body.ToArray().AsMemory(isGrpc ? 5 : 0)))
        {
            _spans.Enqueue(span);
        }

        if (isGrpc)
        {
            context.Response.ContentType = "application/grpc";
            context.Response.AppendTrailer("grpc-status", "0");
            await context.Response.Body.WriteAsync(new byte[5]);
        }
    }
}

/// <summary>A span as it was received.</summary>
internal sealed record ReceivedSpan(string TraceId, string SpanId, string ParentId, string Name)
{
    /// <summary>Attribute <c>service.name</c> of its resource.</summary>
    public string Service { get; init; } = "";

    /// <summary>1 internal, 2 server, 3 client, 4 producer, 5 consumer.</summary>
    public int Kind { get; init; }

    public ulong Start { get; init; }

    public ulong End { get; init; }

    /// <summary>The attributes; numbers as text.</summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();

    /// <summary>0 unset, 1 OK, 2 error.</summary>
    public int Status { get; init; }

    public override string ToString() =>
        $"{Service}: {Name} {SpanId} in {ParentId} of {TraceId} "
        + string.Join(" ", Attributes.Select(a => $"{a.Key}={a.Value}"))
        + $" status={Status}";
}

/// <summary>Reads the parts of <c>ExportTraceServiceRequest</c> that tests compare.</summary>
internal static class OtlpMessage
{
    public static IEnumerable<ReceivedSpan> Read(ReadOnlyMemory<byte> request) =>
        from resourceSpans in Messages(request, 1)
        let service = Messages(resourceSpans, 1).SelectMany(Attributes(1)).LastOrDefault(a => a.Key == "service.name").Value ?? ""
        from scopeSpans in Messages(resourceSpans, 2)
        from span in Messages(scopeSpans, 2)
        select Span(span, service);

    private static ReceivedSpan Span(ReadOnlyMemory<byte> span, string service) =>
        new(Hex(span, 1), Hex(span, 2), Hex(span, 4), Text(span, 5))
        {
            Service = service,
            Kind = (int)Number(span, 6),
            Start = Number(span, 7),
            End = Number(span, 8),
            Attributes = Attributes(9)(span).ToDictionary(a => a.Key, a => a.Value, StringComparer.Ordinal),
            Status = (int)Messages(span, 15).Select(status => Number(status, 3)).FirstOrDefault(),
        };

    private static Func<ReadOnlyMemory<byte>, IEnumerable<KeyValuePair<string, string>>> Attributes(int field) =>
        message => Messages(message, field).Select(a => KeyValuePair.Create(Text(a, 1), Value(Messages(a, 2).First())));

    private static string Value(ReadOnlyMemory<byte> value)
    {
        var (field, number, bytes) = Fields(value).First();
        return field switch
        {
            1 => Encoding.UTF8.GetString(bytes.Span),
            4 => BitConverter.UInt64BitsToDouble(number).ToString(System.Globalization.CultureInfo.InvariantCulture),
            _ => number.ToString(System.Globalization.CultureInfo.InvariantCulture),
        };
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Messages(ReadOnlyMemory<byte> message, int field) =>
        Fields(message).Where(f => f.Field == field).Select(f => f.Bytes);

    private static string Text(ReadOnlyMemory<byte> message, int field) =>
        Encoding.UTF8.GetString(Messages(message, field).FirstOrDefault().Span);

    private static string Hex(ReadOnlyMemory<byte> message, int field) =>
        Convert.ToHexStringLower(Messages(message, field).FirstOrDefault().Span);

    private static ulong Number(ReadOnlyMemory<byte> message, int field) => Fields(message).FirstOrDefault(f => f.Field == field).Number;

    private static IEnumerable<(int Field, ulong Number, ReadOnlyMemory<byte> Bytes)> Fields(ReadOnlyMemory<byte> message)
    {
        var at = 0;
        while (at < message.Length)
        {
            var tag = Varint(message.Span, ref at);
            ulong number = 0;
            ReadOnlyMemory<byte> bytes = default;
            switch (tag & 7)
            {
                case 0:
                    number = Varint(message.Span, ref at);
                    break;
                case 1:
                    number = BinaryPrimitives.ReadUInt64LittleEndian(message.Span[at..]);
                    at += 8;
                    break;
                case 2:
                    var length = (int)Varint(message.Span, ref at);
                    bytes = message.Slice(at, length);
                    at += length;
                    break;
                case 5:
                    number = BinaryPrimitives.ReadUInt32LittleEndian(message.Span[at..]);
                    at += 4;
                    break;
                default:
                    throw new InvalidDataException($"wire type {tag & 7}");
            }

            yield return ((int)(tag >> 3), number, bytes);
        }
    }

    private static ulong Varint(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = bytes[at++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }
}
