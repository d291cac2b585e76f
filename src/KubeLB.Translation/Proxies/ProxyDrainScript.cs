using System.Globalization;

namespace KubeLB.Translation.Proxies;

/// <summary>
/// What the kubelet runs in a proxy that is to end, before it stops it: from now on the proxy is unhealthy and asks its clients to connect
/// elsewhere; it goes when nobody is connected any more, not before the least and not after the greatest time. In bash, which speaks TCP by
/// itself, so that no second container has to run all along for this moment.
/// </summary>
public static class ProxyDrainScript
{
    // The filter is ^listener\.[0-9._]+\.downstream_cx_active$: connections of the tenant's ports, which have no names, unlike our own.
    private const string Connections = "/stats?filter=%5Elistener%5C.%5B0-9._%5D%2B%5C.downstream_cx_active%24";

    /// <summary>The script.</summary>
    public static string Build(ProxyDrain drain, int adminPort = ProxyPorts.Admin)
    {
        var (least, most) = (Seconds(drain.Minimum), Seconds(drain.Maximum));
        return $$"""
            admin() {
              { printf '%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' "$1" "$2" >&3; timeout 5 cat <&3; } 3<>/dev/tcp/127.0.0.1/{{adminPort.ToString(
                CultureInfo.InvariantCulture
            )}}
            }
            admin POST /healthcheck/fail >/dev/null
            sleep {{least}}
            while [ "$SECONDS" -lt {{most}} ] && admin GET '{{Connections}}' | grep -q 'downstream_cx_active: [1-9]'; do
              sleep 1
            done

            """.ReplaceLineEndings("\n");
    }

    private static string Seconds(TimeSpan time) => ((long)time.TotalSeconds).ToString(CultureInfo.InvariantCulture);
}
