namespace KubeLB.Xds.Tests.Wire;

/// <summary>A minimal HTTP/2 client: connection preface and frame headers.</summary>
internal static class Http2
{
    /// <summary>Frame type PING (RFC 9113, 6.7).</summary>
    public const byte Ping = 6;

    /// <summary>The client's preface and empty SETTINGS.</summary>
    public static byte[] Preface => [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, 0, 0, 0, 4, 0, 0, 0, 0, 0];

    /// <summary>Reads frames; false at the end of the connection.</summary>
    public static async Task<bool> ReadUntilAsync(Stream stream, byte? frame, CancellationToken cancellationToken)
    {
        var header = new byte[9];
        try
        {
            while (true)
            {
                await stream.ReadExactlyAsync(header, cancellationToken);
                await stream.ReadExactlyAsync(new byte[(header[0] << 16) | (header[1] << 8) | header[2]], cancellationToken);
                if (header[3] == frame)
                {
                    return true;
                }
            }
        }
        catch (IOException)
        {
            return false;
        }
    }
}
