using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using KubeLB.Runtime.Clusters;

namespace KubeLB.Runtime.Watching;

/// <summary>Reads the lines of a watch as they arrive.</summary>
internal static class WatchStream
{
    /// <summary>
    /// Yields frames until the API server ends the watch. A connection that breaks in the middle of a line is an <see cref="IOException"/>.
    /// </summary>
    public static async IAsyncEnumerable<WatchFrame> ReadAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
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
                        using var document = JsonDocument.Parse(line, AnswerJson.Options);
                        yield return FrameOf(document.RootElement);
                    }

                    buffer = buffer.Slice(buffer.GetPosition(1, end));
                }

                if (read.IsCompleted)
                {
                    if (!IsBlank(buffer))
                    {
                        throw new IOException("The connection broke in the middle of a watch event.");
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

    private static WatchFrame FrameOf(JsonElement root)
    {
        var type = root.ValueKind == JsonValueKind.Object ? TextOf(root, "type") : "";
        if (type.Length == 0 || !root.TryGetProperty("object", out var obj))
        {
            throw new JsonException("A line of a watch is not a watch event.");
        }

        return new WatchFrame(type, obj);
    }

    private static string TextOf(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

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
