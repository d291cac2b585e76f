using System.Buffers;
using System.IO.Pipelines;

namespace KubeLB.Sandbox.Networking;

/// <summary>Recognises a client that starts with HTTP/2 without TLS (prior knowledge).</summary>
/// <remarks>RFC 9113 section 3.4.</remarks>
internal static class Http2Preface
{
    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>Whether the preface is what comes next. Consumes nothing; waits for no more bytes than are needed to tell.</summary>
    public static async Task<bool> IsNextAsync(PipeReader input, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
            var verdict = Judge(read.Buffer);
            if (verdict is null && !read.IsCompleted)
            {
                input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }

            input.AdvanceTo(read.Buffer.Start);
            return verdict is true;
        }
    }

    /// <summary>Null while the bytes could still become the preface.</summary>
    internal static bool? Judge(ReadOnlySequence<byte> bytes)
    {
        Span<byte> start = stackalloc byte[Preface.Length];
        var length = (int)Math.Min(bytes.Length, Preface.Length);
        bytes.Slice(0, length).CopyTo(start);
        if (!Preface[..length].SequenceEqual(start[..length]))
        {
            return false;
        }

        return length == Preface.Length ? true : null;
    }
}
