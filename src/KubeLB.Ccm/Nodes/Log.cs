using Microsoft.Extensions.Logging;

namespace KubeLB.Ccm.Nodes;

internal static partial class Log
{
    [LoggerMessage(
        1,
        LogLevel.Warning,
        "No node has an address of type {AddressType} and may get traffic: nothing can be reached in this cluster. Check "
            + "--node-address-type, --node-address-label-selector and the nodes' addresses and labels."
    )]
    public static partial void NoAddresses(ILogger logger, string addressType);
}
