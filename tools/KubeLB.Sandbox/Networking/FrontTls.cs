using System.Security.Cryptography.X509Certificates;

namespace KubeLB.Sandbox.Networking;

/// <summary>TLS settings of a listener.</summary>
/// <param name="Certificate">The certificate for a server name; null refuses the handshake.</param>
/// <param name="Http2">Whether HTTP/2 is offered in ALPN.</param>
internal sealed record FrontTls(Func<string?, X509Certificate2?> Certificate, bool Http2 = true);
