using KubeLB.Runtime.Connections;
using Microsoft.Extensions.Time.Testing;

namespace KubeLB.Runtime.Tests.Connections;

public sealed class RotatingTokenTests : IDisposable
{
    private const string Server = "http://127.0.0.1:1";
    private static readonly TimeSpan Later = TimeSpan.FromSeconds(1);
    private readonly string _path = Path.GetTempFileName();
    private readonly FakeTimeProvider _time = new();
    private readonly RotatingToken _token;

    public RotatingTokenTests()
    {
        Write("first");
        _token = new RotatingToken(new KubeconfigFile(_path), Server, "first", _time);
    }

    [Fact]
    public async Task A_token_that_was_replaced_is_sent_a_second_later()
    {
        (await SentAsync()).Should().Be("first");
        Write("second");
        _time.Advance(Later);
        (await SentAsync()).Should().Be("second");
    }

    [Theory]
    [InlineData("")]
    [InlineData("{ half: [")]
    [InlineData(null)]
    public async Task A_file_that_is_being_replaced_leaves_the_token_as_it_is(string? content)
    {
        if (content is null)
        {
            File.Delete(_path);
        }
        else
        {
            await File.WriteAllTextAsync(_path, content);
        }

        _time.Advance(Later);
        (await SentAsync()).Should().Be("first");

        Write("second");
        _time.Advance(Later);
        (await SentAsync()).Should().Be("second");
    }

    [Fact]
    public async Task Token_for_another_server_is_not_sent_to_this_one()
    {
        await File.WriteAllTextAsync(_path, Content("second").Replace(Server, "http://127.0.0.1:2", StringComparison.Ordinal));
        _time.Advance(Later);
        (await SentAsync()).Should().Be("first");
    }

    [Fact]
    public async Task Another_user_of_the_same_file_is_not_asked_for()
    {
        await File.WriteAllTextAsync(
            _path,
            Content("second").Replace("users: [", "users: [{name: other, user: {tokenFile: nowhere}}, ", StringComparison.Ordinal)
        );
        _time.Advance(Later);
        (await SentAsync()).Should().Be("second");
    }

    public void Dispose() => File.Delete(_path);

    private async Task<string?> SentAsync() => (await _token.GetAuthenticationHeaderAsync(default)).Parameter;

    private void Write(string token) => File.WriteAllText(_path, Content(token));

    private static string Content(string token) =>
        $$$"""
            apiVersion: v1
            kind: Config
            clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
            contexts: [{name: c, context: {cluster: c, user: u}}]
            current-context: c
            users: [{name: u, user: {token: "{{{token}}}" } }]
            """;
}
