using KubeLB.Runtime.Hosting;

namespace KubeLB.Runtime.Tests.Tracing;

public sealed class TracingOptionsTests
{
    private readonly Dictionary<string, string> _environment = new(StringComparer.Ordinal);

    [Fact]
    public void Without_an_endpoint_there_is_no_tracing() => Parse("").Should().BeNull();

    [Theory]
    [InlineData("http://collector:4317", null, false, "http://collector:4317/")]
    [InlineData("https://collector", null, false, "https://collector/")]
    [InlineData("http://collector:4318", null, true, "http://collector:4318/v1/traces")]
    [InlineData("https://host/otlp/v1/traces", null, true, "https://host/otlp/v1/traces")]
    [InlineData("http://collector:9999", "http/protobuf", true, "http://collector:9999/v1/traces")]
    [InlineData("http://collector:4318", "grpc", false, "http://collector:4318/")]
    public void Protocol_follows_the_environment_or_the_URL(string endpoint, string? protocol, bool isHttp, string target)
    {
        if (protocol is not null)
        {
            _environment["OTEL_EXPORTER_OTLP_PROTOCOL"] = protocol;
        }

        var options = Parse(endpoint)!;

        options.IsHttp.Should().Be(isHttp);
        options.Target.ToString().Should().Be(target);
    }

    [Theory]
    [InlineData("collector:4317", "1", "--tracing-endpoint: invalid URL; must be the http or https URL of an OTLP receiver")]
    [InlineData("ftp://collector", "1", "--tracing-endpoint: invalid URL")]
    [InlineData("http://user:secret@collector", "1", "set credentials in the environment variable OTEL_EXPORTER_OTLP_HEADERS")]
    [InlineData("http://collector?key=secret", "1", "user information, query or fragment is not supported")]
    [InlineData("http://collector:4317", "2", "--tracing-sampling-ratio: invalid value \"2\"; must be a number from 0 to 1")]
    [InlineData("http://collector:4317", "-1", "must be a number from 0 to 1")]
    [InlineData("", "half", "must be a number from 0 to 1")]
    [InlineData("http://collector:4317", "NaN", "must be a number from 0 to 1")]
    public void Invalid_value_is_reported_with_its_remedy(string endpoint, string ratio, string message)
    {
        var parse = () => Parse(endpoint, ratio);

        parse.Should().Throw<FormatException>().Which.Message.Should().Contain(message).And.NotContain("secret");
    }

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", "secret", "OTEL_EXPORTER_OTLP_HEADERS is not valid")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=b,secret", "OTEL_EXPORTER_OTLP_TRACES_HEADERS is not valid")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20a%2Csecret", "OTEL_EXPORTER_OTLP_HEADERS is not valid")]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "must be grpc or http/protobuf")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "udp", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: invalid value \"udp\"")]
    public void Invalid_environment_is_reported_without_secrets(string variable, string value, string message)
    {
        _environment[variable] = value;
        var parse = () => Parse("http://collector:4317");

        parse.Should().Throw<FormatException>().Which.Message.Should().Contain(message).And.NotContain("secret");
    }

    private TracingOptions? Parse(string endpoint, string ratio = "1") =>
        TracingOptions.Parse(endpoint, ratio, _environment.GetValueOrDefault);
}
