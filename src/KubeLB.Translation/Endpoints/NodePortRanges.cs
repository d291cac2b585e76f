using System.Globalization;
using KubeLB.Api.Messages;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Backends;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.Endpoints;

/// <summary>
/// The node ports that a tenant's Services may have. Without them a tenant could name a port on which the nodes of others, or services of
/// the management cluster, listen.
/// </summary>
public sealed class NodePortRanges
{
    private const int MaxQuoteLength = 40;
    private const int MaxLength = 1024;

    private readonly (int First, int Last)[] _ranges;

    private NodePortRanges((int First, int Last)[] ranges) => _ranges = ranges;

    /// <summary>The default of the API server's <c>--service-node-port-range</c>.</summary>
    public static NodePortRanges Default { get; } = new([(30000, 32767)]);

    /// <summary>Every port.</summary>
    public static NodePortRanges All { get; } = new([(1, ushort.MaxValue)]);

    /// <summary>The ranges in the order of the settings.</summary>
    public IReadOnlyList<(int First, int Last)> Ranges => _ranges;

    /// <summary>Parses ports and ranges that are separated by commas, such as <c>30000-32767,8443</c>; null if one is invalid.</summary>
    public static NodePortRanges? Parse(string? text)
    {
        if (text is null or { Length: > MaxLength })
        {
            return null;
        }

        var ranges = text.Split(',').Select(Range).ToList();
        return ranges.TrueForAll(range => range is not null) ? new NodePortRanges([.. ranges.Select(range => range!.Value)]) : null;
    }

    /// <summary>Whether a node port is permitted.</summary>
    public bool Contains(int port) => Array.Exists(_ranges, range => range.First <= port && port <= range.Last);

    /// <inheritdoc />
    public override string ToString() =>
        string.Join(
            ',',
            _ranges.Select(range =>
                range.First == range.Last
                    ? range.First.ToString(CultureInfo.InvariantCulture)
                    : string.Create(CultureInfo.InvariantCulture, $"{range.First}-{range.Last}")
            )
        );

    /// <summary>Why Services are rejected: the first node port that is not permitted. Null if all are.</summary>
    internal string? Problem(IEnumerable<RouteService> services)
    {
        foreach (var service in services)
        {
            foreach (var port in service.Spec?.Ports ?? [])
            {
                if (port.NodePort is { } nodePort && !Contains(nodePort))
                {
                    var (@namespace, name) = SourceServices.OriginOf(service);
                    return BackendMessages.NodePortNotPermitted(
                        $"{@namespace}/{name}",
                        nodePort,
                        MessageText.Truncate(ToString(), MaxQuoteLength)
                    );
                }
            }
        }

        return null;
    }

    private static (int First, int Last)? Range(string text) =>
        text.Trim().Split('-') switch
        {
            [var only] when Port(only) is { } port => (port, port),
            [var first, var last] when Port(first) is { } from && Port(last) is { } to && from <= to => (from, to),
            _ => null,
        };

    private static int? Port(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is >= 1 and <= 65535 ? port : null;
}
