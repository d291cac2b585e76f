using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using KubeLB.Runtime.Clusters;

namespace KubeLB.Runtime.Watching;

/// <summary>Reads the events of a watch.</summary>
internal static class WatchStream
{
    /// <summary>
    /// Returns events until the API server ends the watch. Throws <see cref="IOException"/> if the connection ends within an event.
    /// </summary>
    public static async IAsyncEnumerable<WatchEvent> ReadAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 16 * 1024, leaveOpen: true));
        try
        {
            while (true)
            {
                var read = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
                var buffer = read.Buffer;
                while (buffer.PositionOf((byte)'\n') is { } end)
                {
                    var line = buffer.Slice(0, end);
                    if (!IsBlank(line))
                    {
                        using var document = JsonDocument.Parse(line, ApiTransport.JsonOptions);
                        yield return ParseEvent(document.RootElement);
                    }

                    buffer = buffer.Slice(buffer.GetPosition(1, end));
                }

                if (read.IsCompleted)
                {
                    if (!IsBlank(buffer))
                    {
                        throw new IOException("The connection was closed within a watch event.");
                    }

                    yield break;
                }

                reader.AdvanceTo(buffer.Start, buffer.End);
            }
        }
        finally
        {
            await reader.CompleteAsync().ConfigureAwait(false);
        }
    }

    private static WatchEvent ParseEvent(JsonElement root)
    {
        var type = root.StringOrEmpty("type");
        if (type.Length == 0 || !root.TryGetProperty("object", out var obj))
        {
            throw new JsonException("Invalid watch event: type or object is missing.");
        }

        return new WatchEvent(type, obj);
    }

    private static bool IsBlank(ReadOnlySequence<byte> line)
    {
        foreach (var segment in line)
        {
            if (segment.Span.ContainsAnyExcept(" \t\r"u8))
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>An event of a watch.</summary>
/// <param name="Type">ADDED, MODIFIED, DELETED, BOOKMARK or ERROR.</param>
/// <param name="Object">The object, or the Status of an ERROR.</param>
internal readonly record struct WatchEvent(string Type, JsonElement Object);
