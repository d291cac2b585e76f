using KubeLB.Runtime.Events;

namespace KubeLB.Runtime.Tests.Events;

public sealed class RecentTests
{
    [Fact]
    public void What_was_not_asked_for_longest_is_forgotten()
    {
        var recent = new Recent<string, int>(2);
        recent.GetOrAdd("a", () => 1);
        recent.GetOrAdd("b", () => 1);
        recent.GetOrAdd("a", () => 2).Should().Be(1);
        recent.GetOrAdd("c", () => 1);

        recent.Count.Should().Be(2);
        recent.GetOrAdd("a", () => 3).Should().Be(1);
        recent.GetOrAdd("b", () => 3).Should().Be(3, "it had been forgotten");
    }
}
