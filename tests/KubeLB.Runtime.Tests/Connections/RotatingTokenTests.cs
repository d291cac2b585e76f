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
    public async Task Replaced_token_is_used_after_one_second()
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
    public async Task Incomplete_file_keeps_the_token(string? content)
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
    public async Task Token_of_another_user_is_not_used()
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
