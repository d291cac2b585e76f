using System.Text.Json;
using System.Text.Json.Nodes;
using KubeLB.Api.GatewayApi;
using KubeLB.Translation.Fields;

namespace KubeLB.Translation.Tests.Fields;

/// <summary>A spec is copied field by field.</summary>
public sealed class FieldFilterTests
{
    [Fact]
    public void Fields_without_a_decision_are_left_out_and_named()
    {
        var filter = Filter(
            HttpRoute.KindName,
            """
            { "hostnames": ["a"], "new": 1,
              "rules": [{ "name": "r" }, { "backendRefs": [{ "name": "b", "secretRef": { "namespace": "x" } }] }] }
            """
        );

        filter.Spec.ToJsonString().Should().Be("""{"hostnames":["a"],"rules":[{"name":"r"},{"backendRefs":[{"name":"b"}]}]}""");
        filter.Ignored.Should().Equal("spec.new", "spec.rules[1].backendRefs[0].secretRef");
        filter.Rejection.Should().BeNull();
    }

    [Fact]
    public void Many_unknown_fields_are_counted_but_not_remembered()
    {
        var spec = new JsonObject();
        for (var i = 0; i < 10_000; i++)
        {
            spec[$"k{i}"] = i;
        }

        var filter = FieldFilter.Apply(FieldDecisions.Of(HttpRoute.KindName), spec);

        filter.IgnoredCount.Should().Be(10_000);
        filter.Ignored.Should().HaveCount(FieldFilter.MaxReported);
    }

    [Theory]
    [InlineData("Gateway", """{ "infrastructure": { "parametersRef": {} } }""", "InvalidParameters", "spec.infrastructure.parametersRef")]
    [InlineData("Gateway", """{ "tls": { "backend": {} } }""", "UnsupportedValue", "spec.tls.backend")]
    [InlineData("Gateway", """{ "backendTLS": {} }""", "UnsupportedValue", "spec.backendTLS")]
    [InlineData(
        "HTTPRoute",
        """{ "rules": [{ "filters": [{ "extensionRef": {} }] }] }""",
        "UnsupportedValue",
        "rules[0].filters[0].extensionRef"
    )]
    [InlineData(
        "HTTPRoute",
        """{ "rules": [{ "filters": [{ "externalAuth": {} }] }] }""",
        "UnsupportedValue",
        "rules[0].filters[0].externalAuth"
    )]
    [InlineData(
        "GRPCRoute",
        """{ "rules": [{ "backendRefs": [{ "filters": [{ "extensionRef": {} }] }] }] }""",
        "UnsupportedValue",
        "rules[0].backendRefs[0].filters[0].extensionRef"
    )]
    [InlineData(
        "HTTPRoute",
        """{ "rules": [{ "matches": [{ "path": { "value": "/a\r\nb" } }] }] }""",
        "UnsupportedValue",
        "control character"
    )]
    [InlineData("HTTPRoute", """{ "rules": [{ "matches": [{ "clientIP": "10.0.0.1" }] }] }""", "UnsupportedValue", "matches[0].clientIP")]
    [InlineData(
        "GRPCRoute",
        """{ "rules": [{ "matches": [{ "method": { "not": true } }] }] }""",
        "UnsupportedValue",
        "matches[0].method.not"
    )]
    [InlineData("HTTPRoute", """{ "hostnames": ["a\u0000"] }""", "UnsupportedValue", "control character")]
    [InlineData(
        "HTTPRoute",
        """{ "rules": [{ "filters": [{ "requestHeaderModifier": { "set": [{ "name": "a\r\nb", "value": "c" }] } }] }] }""",
        "UnsupportedValue",
        "control character"
    )]
    [InlineData(
        "HTTPRoute",
        """{ "rules": [{ "filters": [{ "responseHeaderModifier": { "add": [{ "name": "a", "value": "b\r\nX: 1" }] } }] }] }""",
        "UnsupportedValue",
        "control character"
    )]
    [InlineData(
        "HTTPRoute",
        """{ "rules": [{ "sessionPersistence": { "sessionName": "a\r\nb" } }] }""",
        "UnsupportedValue",
        "control character"
    )]
    [Trait("Threat", "control-characters")]
    [Trait("Threat", "gateway-fields")]
    [Trait("Threat", "foreign-filters")]
    public void Field_rejects_the_object(string kind, string spec, string reason, string message)
    {
        var filter = Filter(kind, spec);
        var rejection = filter.Rejection ?? filter.InvalidText;

        rejection!.Reason.Should().Be(reason);
        rejection.Message.Should().Contain(message).And.Contain("Remove");
    }

    [Theory]
    [InlineData("Gateway", """{ "addresses": [] }""")]
    [InlineData("Gateway", """{ "infrastructure": { "labels": { "a": "b" } }, "allowedListeners": {}, "defaultScope": "All" }""")]
    [InlineData("HTTPRoute", """{ "useDefaultGateways": "All" }""")]
    [InlineData(
        "HTTPRoute",
        """{ "rules": [{ "filters": [{ "requestHeaderModifier": { "set": [{ "name": "a", "value": "b\tc" }] } }] }] }"""
    )]
    public void Field_does_not_reject_the_object(string kind, string spec) => Filter(kind, spec).Rejection.Should().BeNull();

    [Theory]
    [InlineData("""{ "hostnames": {} }""", "spec.hostnames must be a value or an array of values")]
    [InlineData("""{ "hostnames": [["a"]] }""", "spec.hostnames must be a value or an array of values")]
    [InlineData("""{ "rules": "x" }""", "spec.rules must be an object or an array of objects")]
    [InlineData("""{ "rules": ["x"] }""", "spec.rules[0] must be an object")]
    [InlineData("[]", "spec must be an object")]
    public void Wrong_JSON_type_is_an_error(string spec, string message) =>
        FluentActions.Invoking(() => Filter(HttpRoute.KindName, spec)).Should().Throw<JsonException>().WithMessage(message);

    [Fact]
    public void Names_are_case_sensitive() =>
        Filter(HttpRoute.KindName, """{ "Hostnames": ["a"] }""").Ignored.Should().Equal("spec.Hostnames");

    [Theory]
    [InlineData("""{ "default": { "validation": {} } }""", "1, 2")]
    [InlineData("""{ "default": { "validation": {} }, "perPort": [{ "port": 443, "tls": {} }] }""", "2")]
    [InlineData("""{ "perPort": [{ "port": 443, "tls": { "validation": {} } }] }""", "1")]
    [InlineData("""{ "perPort": [{ "port": 443, "tls": {} }, { "port": 443, "tls": { "validation": {} } }] }""", "1")]
    [InlineData("""{ "default": 1 }""", "1, 2")]
    [InlineData("""{ "default": {} }""", "")]
    [InlineData("{}", "")]
    [Trait("Threat", "unvalidated-clients")]
    public void Listeners_with_client_certificates_are_found(string frontend, string listeners)
    {
        var spec = JsonNode.Parse(
            $$"""
            {
              "listeners": [
                { "name": "http", "port": 80, "protocol": "HTTP" },
                { "name": "a", "port": 443, "protocol": "HTTPS" },
                { "name": "b", "port": 8443, "protocol": "HTTPS" }
              ],
              "tls": { "frontend": {{frontend}} }
            }
            """
        );

        string.Join(", ", FrontendValidation.ListenersOf(spec).Order()).Should().Be(listeners);
    }

    [Fact]
    public void Listener_with_the_field_of_earlier_releases_is_found() =>
        FrontendValidation
            .ListenersOf(JsonNode.Parse("""{ "listeners": [{ "protocol": "HTTPS", "tls": { "frontendValidation": {} } }] }"""))
            .Should()
            .Equal(0);

    private static FieldFilter Filter(string kind, string spec) => FieldFilter.Apply(FieldDecisions.Of(kind), JsonNode.Parse(spec));
}
