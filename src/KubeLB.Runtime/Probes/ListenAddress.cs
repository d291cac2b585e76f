using System.Globalization;
using System.Net;

namespace KubeLB.Runtime.Probes;

/// <summary>
/// A listen address in the syntax of Go controllers: <c>:8081</c>, <c>127.0.0.1:0</c>, <c>[::1]:8081</c>, <c>localhost:8081</c>.
/// </summary>
/// <param name="Address">Null for all interfaces, IPv4 and IPv6.</param>
/// <param name="Port">0 for a free port.</param>
public sealed record ListenAddress(IPAddress? Address, int Port)
{
    /// <returns>Null if <paramref name="text"/> disables the listener (empty or <c>0</c>).</returns>
    /// <exception cref="FormatException">The text is not a listen address.</exception>
    public static ListenAddress? Parse(string? text, bool loopbackByDefault)
    {
        text = text?.Trim() ?? "";
        if (text is "" or "0")
        {
            return null;
        }

        var colon = text.LastIndexOf(':');
        if (
            colon < 0
            || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || port > 65535
        )
        {
            throw Invalid(text);
        }

        var host = text[..colon];
        if (host.StartsWith('[') && host.EndsWith(']'))
        {
            host = host[1..^1];
        }

        return host switch
        {
            "" or "*" => new(loopbackByDefault ? IPAddress.Loopback : null, port),
            "localhost" => new(IPAddress.Loopback, port),
            _ => new(IPAddress.TryParse(host, out var address) ? address : throw Invalid(text), port),
        };
    }

    private static FormatException Invalid(string text) =>
        new($"Invalid listen address \"{text}\": use :PORT, IP:PORT or [IPv6]:PORT, port 0 for a free port, or 0 to disable.");

    /// <summary>The address in the syntax of the command line.</summary>
    public override string ToString() => Address is null ? $":{Port}" : new IPEndPoint(Address, Port).ToString();
}
