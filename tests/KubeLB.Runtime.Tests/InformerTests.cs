using KubeLB.Runtime.Tests.Fakes;

namespace KubeLB.Runtime.Tests;

public sealed class InformerTests
{
    [Fact]
    public async Task A_list_and_then_a_watch_fill_the_store()
    {
        var server = new FakeApiServer();
        server.PutWidget("a");
        await using var host = await TestHost.StartSyncedAsync(server);
        server.PutWidget("b", """{"spec":{"colour":"red"}}""");

        await Eventually.True(() => host.Widgets.Get("default", "b")?.Spec?.Colour == "red", "b arrives by watch");
        host.Widgets.Get("default", "a")!.Kind.Should().Be("Widget", "items of lists carry no kind, yet objects have one");
        host.Widgets.List().Should().HaveCount(2);
    }
}
