using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Runtime.Storing;

namespace KubeLB.Sandbox.EnvoyGateway.Statuses;

/// <summary>Evaluates Gateways and their listeners, with Envoy Gateway's messages. Pure.</summary>
internal static class GatewayEvaluator
{
    private static readonly string[] HttpKinds = [HttpRoute.KindName, GrpcRoute.KindName];

    /// <summary>Evaluates a Gateway.</summary>
    public static GatewayEvaluation Evaluate(Gateway gateway, IClusterView view)
    {
        var addresses = gateway.Spec?.Addresses ?? [];
        var odd = addresses.FirstOrDefault(a => a.Type is not (null or "IPAddress" or "Hostname"));
        if (odd is not null)
        {
            var rejection = new Finding(
                GatewayConditions.Accepted,
                false,
                "UnsupportedAddress",
                $"Gateway has an address with an unsupported type: {odd.Type}"
            );
            return new GatewayEvaluation(gateway, rejection, []);
        }

        var drafts = (gateway.Spec?.Listeners ?? []).Select(listener => Draft(gateway, listener, view)).ToList();
        AddConflicts(gateway, drafts);
        return new GatewayEvaluation(
            gateway,
            null,
            [.. drafts.Select(d => new ListenerEvaluation(d.Listener, d.Kinds, Complete(d.Findings)))]
        )
        {
            RequestedAddresses = [.. addresses.Select(a => a.Value ?? "")],
            HasUsableAddresses = addresses.All(RequestedAddress.IsUsable),
        };
    }

    private static ListenerDraft Draft(Gateway gateway, Listener listener, IClusterView view)
    {
        var findings = new List<Finding>();
        string[]? possible = listener.Protocol switch
        {
            "HTTP" or "HTTPS" => HttpKinds,
            "TLS" => listener.Tls?.Mode == "Passthrough" ? ["TLSRoute"] : ["TCPRoute"],
            "TCP" => ["TCPRoute"],
            "UDP" => ["UDPRoute"],
            _ => null,
        };
        if (possible is null)
        {
            findings.Add(
                new Finding(
                    GatewayConditions.Accepted,
                    false,
                    "UnsupportedProtocol",
                    $"Protocol {listener.Protocol} is unsupported, must be HTTP, HTTPS, TCP or UDP."
                )
            );
            return new ListenerDraft(listener, [], findings);
        }

        var kinds = Kinds(listener, possible, findings);
        if (listener.AllowedRoutes?.Namespaces is { From: "Selector", Selector: null })
        {
            findings.Add(
                new Finding(
                    GatewayConditions.Programmed,
                    false,
                    GatewayConditions.Invalid,
                    "The allowedRoutes.namespaces.selector field must be specified when allowedRoutes.namespaces.from is set to "
                        + "\"Selector\"."
                )
            );
        }

        if (listener.Protocol == "HTTPS" || (listener.Protocol == "TLS" && listener.Tls?.Mode != "Passthrough"))
        {
            CertificateEvaluator.Evaluate(gateway, listener, view, findings);
        }

        if (FrontendTls.Validates(gateway, listener))
        {
            findings.AddRange(FrontendTls.Rejection());
        }

        return new ListenerDraft(listener, kinds, findings);
    }

    private static IReadOnlyList<string> Kinds(Listener listener, string[] possible, List<Finding> findings)
    {
        if (listener.AllowedRoutes?.Kinds is not { Count: > 0 } desired)
        {
            return possible;
        }

        var kinds = new List<string>();
        foreach (var kind in desired)
        {
            if (kind.Group is not (null or ApiGroups.GatewayApi))
            {
                findings.Add(
                    new Finding(
                        GatewayConditions.ResolvedRefs,
                        false,
                        "InvalidRouteKinds",
                        $"Group is not supported, group must be {ApiGroups.GatewayApi}"
                    )
                );
            }
            else if (!possible.Contains(kind.Kind))
            {
                findings.Add(
                    new Finding(
                        GatewayConditions.ResolvedRefs,
                        false,
                        "InvalidRouteKinds",
                        $"{kind.Kind} is not supported, kind must be one of [{string.Join(' ', possible)}]"
                    )
                );
            }
            else
            {
                kinds.Add(kind.Kind);
            }
        }

        return kinds;
    }

    private static void AddConflicts(Gateway gateway, List<ListenerDraft> drafts)
    {
        var key = ResourceKey.Of(gateway);

        // A listener that is already invalid causes no conflict.
        foreach (
            var port in drafts
                .Where(d => d.Kinds.Count > 0 && d.Findings.All(f => f.IsTrue || f.Reason == "PartiallyInvalidCertificateRef"))
                .GroupBy(d => (d.Listener.Port, Udp: d.Listener.Protocol == "UDP"))
        )
        {
            var protocols = port.Select(d => d.Listener.Protocol is "HTTPS" or "TLS" ? "HTTPS/TLS" : d.Listener.Protocol)
                .Distinct()
                .Count();
            if (protocols > 1)
            {
                foreach (var draft in port)
                {
                    draft.Findings.Add(
                        new Finding("Conflicted", true, "ProtocolConflict", "All listeners for a given port must use a compatible protocol")
                    );
                }

                continue;
            }

            foreach (var host in port.GroupBy(d => d.Listener.Hostname ?? "", StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1))
            {
                var names = string.Join(", ", host.Select(d => $"{key}/{d.Listener.Name}"));
                foreach (var draft in host)
                {
                    draft.Findings.Add(
                        new Finding(
                            "Conflicted",
                            true,
                            "HostnameConflict",
                            $"All listeners for a given port must use a unique hostname, conflicting listeners: {names}"
                        )
                    );
                }
            }
        }
    }

    private static List<Finding> Complete(List<Finding> findings)
    {
        var fatal = findings.Any(f => (f.IsTrue && f.Type == "Conflicted") || (!f.IsTrue && f.Reason != "PartiallyInvalidCertificateRef"));
        if (!fatal)
        {
            findings.Add(
                new Finding(GatewayConditions.Programmed, true, "Programmed", "Sending translated listener configuration to the data plane")
            );
        }
        else if (findings.All(f => f.Type != GatewayConditions.Programmed))
        {
            findings.Add(
                new Finding(
                    GatewayConditions.Programmed,
                    false,
                    GatewayConditions.Invalid,
                    "Listener is invalid, see other Conditions for details."
                )
            );
        }

        if ((!fatal || findings.Any(f => f.Reason == "InvalidCertificateRef")) && findings.All(f => f.Type != GatewayConditions.Accepted))
        {
            findings.Add(new Finding(GatewayConditions.Accepted, true, "Accepted", "Listener has been successfully translated"));
        }

        if (findings.All(f => f.Type != GatewayConditions.ResolvedRefs))
        {
            findings.Add(new Finding(GatewayConditions.ResolvedRefs, true, "ResolvedRefs", "Listener references have been resolved"));
        }

        // One condition per type: the first finding is used.
        return [.. findings.DistinctBy(f => f.Type)];
    }

    private sealed record ListenerDraft(Listener Listener, IReadOnlyList<string> Kinds, List<Finding> Findings);
}

/// <summary>Validates the addresses of a Gateway's spec. Pure.</summary>
internal static class RequestedAddress
{
    /// <summary>
    /// Whether an address can be an external IP of the Gateway's Service. Kubernetes rejects a Service with another one, and a hostname
    /// cannot be assigned.
    /// </summary>
    public static bool IsUsable(GatewayAddress address) =>
        address.Type is null or "IPAddress"
        && IPAddress.TryParse(address.Value, out var ip)
        && !IPAddress.IsLoopback(ip)
        && !ip.Equals(IPAddress.Any)
        && !ip.Equals(IPAddress.IPv6Any)
        && !IsMulticastOrLinkLocal(ip);

    private static bool IsMulticastOrLinkLocal(IPAddress ip)
    {
        var bytes = ip.GetAddressBytes();
        return ip.AddressFamily == AddressFamily.InterNetwork
            ? (bytes[0] & 0xF0) == 0xE0 || (bytes[0] == 169 && bytes[1] == 254)
            : ip.IsIPv6Multicast || ip.IsIPv6LinkLocal;
    }
}

/// <summary>
/// Validation of client certificates (<c>spec.tls.frontend</c>), which the stand-in does not support: it does not serve the listeners, like
/// Envoy Gateway without a valid CA. Pure.
/// </summary>
internal static class FrontendTls
{
    private const string Message =
        "Listener has invalid caCertificateRef for frontend TLS validation: the sandbox does not validate client certificates, "
        + "see docs/reference/sandbox.md";

    /// <summary>Whether a listener requires client certificates: an entry for its port replaces the default.</summary>
    public static bool Validates(Gateway gateway, Listener listener)
    {
        if (
            listener.Protocol != "HTTPS"
            || gateway.Spec?.Unknown?.GetValueOrDefault("tls") is not { ValueKind: JsonValueKind.Object } tls
            || !tls.TryGetProperty("frontend", out var frontend)
            || frontend.ValueKind != JsonValueKind.Object
        )
        {
            return false;
        }

        if (frontend.TryGetProperty("perPort", out var ports) && ports.ValueKind == JsonValueKind.Array)
        {
            foreach (var port in ports.EnumerateArray().Where(p => p.GetProperty("port").GetInt32() == listener.Port))
            {
                return port.TryGetProperty("tls", out var ofPort) && ofPort.TryGetProperty("validation", out _);
            }
        }

        return frontend.TryGetProperty("default", out var ofAll) && ofAll.TryGetProperty("validation", out _);
    }

    /// <summary>The findings of a listener that requires client certificates.</summary>
    public static IEnumerable<Finding> Rejection() =>
        [
            new Finding(GatewayConditions.ResolvedRefs, false, "InvalidCACertificateRef", Message),
            new Finding(GatewayConditions.Programmed, false, "InvalidCACertificateRef", Message),
            new Finding(GatewayConditions.Accepted, false, "NoValidCACertificate", Message),
        ];
}

/// <summary>Validates the certificates of a listener. Pure.</summary>
internal static class CertificateEvaluator
{
    /// <summary>Adds the errors of the listener's certificates.</summary>
    public static void Evaluate(Gateway gateway, Listener listener, IClusterView view, List<Finding> findings)
    {
        if (listener.Tls?.CertificateRefs is not { Count: > 0 } references)
        {
            findings.Add(
                new Finding(
                    GatewayConditions.Programmed,
                    false,
                    GatewayConditions.Invalid,
                    "Listener must have at least 1 TLS certificate ref"
                )
            );
            return;
        }

        var errors = references
            .Select((reference, index) => (Index: index, Error: Error(gateway, reference, view)))
            .Where(e => e.Error is not null)
            .Select(e => (e.Error!.Value.Reason, Message: $"certificate refs {e.Index}: {e.Error.Value.Message}"))
            .ToList();
        if (errors.Count == 0)
        {
            return;
        }

        var all = errors.Count == references.Count;
        var reason = !all ? "PartiallyInvalidCertificateRef" : errors[0].Reason;
        var start = all ? "No valid secrets exist" : "Some secrets are invalid";
        findings.Add(
            new Finding(GatewayConditions.ResolvedRefs, false, reason, $"{start}: {string.Join("; ", errors.Select(e => e.Message))}.")
        );
    }

    /// <summary>Namespace and name of a referenced Secret.</summary>
    public static (string Namespace, string Name) Target(Gateway gateway, SecretObjectReference reference) =>
        (reference.Namespace ?? gateway.Namespace, reference.Name);

    private static (string Reason, string Message)? Error(Gateway gateway, SecretObjectReference reference, IClusterView view)
    {
        if (reference.Group is { Length: > 0 } || reference.Kind is not (null or "Secret"))
        {
            return ("InvalidCertificateRef", $"unsupported certificate ref {reference.Group}/{reference.Kind}, must be a Secret");
        }

        var (ns, name) = Target(gateway, reference);
        if (!Grants.Permit(view, Gateway.KindName, gateway.Namespace, "Secret", ns, name))
        {
            return (GatewayConditions.RefNotPermitted, $"Certificate ref to secret {ns}/{name} not permitted by any ReferenceGrant");
        }

        return view.Secret(ns, name) switch
        {
            TlsSecret.Missing => ("InvalidCertificateRef", $"Secret {ns}/{name} does not exist"),
            TlsSecret.Invalid => ("InvalidCertificateRef", $"Secret {ns}/{name} must contain tls.crt and tls.key"),
            _ => null,
        };
    }
}
