using System.Diagnostics;
using KubeLB.Runtime.Tracing;

namespace KubeLB.Runtime.Tests.Tracing;

public sealed class TraceParentTests
{
    private const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string Span = "00f067aa0ba902b7";

    [Theory]
    [InlineData("01", ActivityTraceFlags.Recorded)]
    [InlineData("00", ActivityTraceFlags.None)]
    [InlineData("ff", ActivityTraceFlags.Recorded)]
    public void Valid_context_is_read(string flags, ActivityTraceFlags expected)
    {
        TraceParent.TryParse($"00-{Trace}-{Span}-{flags}", out var context).Should().BeTrue();

        context.TraceId.ToHexString().Should().Be(Trace);
        context.SpanId.ToHexString().Should().Be(Span);
        context.TraceFlags.Should().Be(expected);
        context.IsRemote.Should().BeTrue();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
    [InlineData("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01")]
    [InlineData("00-00000000000000000000000000000000-00f067aa0ba902b7-01")]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01")]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01")]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01")]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x")]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-")]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0")]
    [Trait("Threat", "trace-context")]
    public void Invalid_context_is_ignored(string? text)
    {
        TraceParent.TryParse(text, out var context).Should().BeFalse();
        context.Should().Be(default(ActivityContext));
    }

    [Fact]
    public void Context_of_a_change_that_is_not_traced_is_valid_and_not_sampled()
    {
        TraceParent.TryParse(TraceParent.NotSampled(), out var context).Should().BeTrue();
        context.TraceFlags.Should().Be(ActivityTraceFlags.None);
    }
}
