namespace KubeLB.Sandbox.EnvoyGateway.Routing;

/// <summary>What of a request decides where it goes.</summary>
/// <param name="Host">Host without port, lower case.</param>
/// <param name="Path">Path as it was sent, without query.</param>
/// <param name="Method">HTTP method.</param>
/// <param name="Header">Value of a header by name (several joined by a comma); null if absent.</param>
/// <param name="Query">First value of a query parameter by name; null if absent.</param>
internal sealed record RequestFacts(string Host, string Path, string Method, Func<string, string?> Header, Func<string, string?> Query);
