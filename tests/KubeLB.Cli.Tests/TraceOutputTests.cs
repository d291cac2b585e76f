using KubeLB.Cli.Rendering;
using KubeLB.Inspection.Tracing;

namespace KubeLB.Cli.Tests;

public class TraceOutputTests
{
    private const string Hostile = "\u001b]0;owned\u0007[red]\u202e\u2066\u009b31m\u007f";

    private static readonly Trace Trace = new(
        new HopObject("tenant", "HTTPRoute", "default", "web"),
        [
            new Hop("Gateways", HopState.Ok) { Detail = Hostile },
            new Hop("Backends", HopState.Broken) { Reason = Hostile, Message = "First line " + Hostile + "\nSecond line." },
        ]
    );

    [Theory]
    [InlineData("tree")]
    [InlineData("json")]
    [InlineData("yaml")]
    public async Task Text_of_a_tenant_does_not_control_the_terminal(string format)
    {
        var output = new StringWriter();
        await new TraceOutput(output, format).WriteAsync([Trace]);
        output
            .ToString()
            .Should()
            .NotContainAny("\u001b", "\u0007", "\u202e", "\u2066", "\u009b", "\u007f")
            .And.ContainAll("First line", "Second line.");
    }

    [Fact]
    public async Task Tree_names_the_hop_the_reason_and_the_remedy()
    {
        var output = new StringWriter();
        var stop = new Hop("Endpoints", HopState.Broken) { Reason = "NoReadyEndpoints", Message = "No pod. Start pods." };
        await new TraceOutput(output, "tree").WriteAsync([Trace with { Hops = [Hop.Of("Backends", [stop])], Tenant = "shop" }]);
        output
            .ToString()
            .ReplaceLineEndings("\n")
            .Should()
            .Be(
                """
                HTTPRoute default/web of tenant shop
                └── ✗ Backends
                    └── ✗ Endpoints NoReadyEndpoints

                Requests stop at Backends > Endpoints (NoReadyEndpoints)
                No pod. Start pods.


                """.ReplaceLineEndings("\n")
            );
    }
}
