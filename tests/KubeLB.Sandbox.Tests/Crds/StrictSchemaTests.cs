using System.Text.Json.Nodes;
using KubeLB.Sandbox.Composition;
using KubeLB.Tests.Shared;

namespace KubeLB.Sandbox.Tests.Crds;

/// <summary>The sandbox's Gateway API schemas accept valid objects and report unknown fields.</summary>
public sealed class StrictSchemaTests : IAsyncLifetime
{
    private const string Gateway = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: g}
        spec:
          gatewayClassName: kubelb
          defaultScope: None
          infrastructure: {labels: {a: b}, annotations: {c: d}, parametersRef: {group: example.com, kind: Settings, name: s}}
          addresses: [{type: IPAddress, value: 127.0.0.1}]
          allowedListeners: {namespaces: {from: Same}}
          listeners:
          - name: https
            hostname: '*.example.com'
            port: 443
            protocol: HTTPS
            allowedRoutes: {kinds: [{kind: HTTPRoute}], namespaces: {from: Selector, selector: {matchLabels: {a: b}}}}
            tls: {mode: Terminate, certificateRefs: [{name: cert}], options: {example.com/a: b}}
        """;

    private const string HttpRoute = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata: {name: h}
        spec:
          parentRefs: [{name: g, sectionName: https, port: 443}]
          hostnames: [a.example.com]
          rules:
          - name: first
            matches:
            - {path: {type: PathPrefix, value: /a}, method: GET, headers: [{name: x, value: z}],
              queryParams: [{type: RegularExpression, name: q, value: .*}]}
            timeouts: {request: 10s, backendRequest: 2s}
            retry: {codes: [503], attempts: 3, backoff: 100ms}
            sessionPersistence: {sessionName: s, type: Cookie, absoluteTimeout: 1h, cookieConfig: {lifetimeType: Permanent}}
            filters:
            - {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: a, value: b}], add: [{name: c, value: d}], remove: [e]}}
            - {type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: a, value: b}]}}
            - {type: RequestMirror, requestMirror: {backendRef: {name: b, port: 80}, percent: 10}}
            - {type: URLRewrite, urlRewrite: {hostname: b.example.com, path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}}}
            - {type: CORS, cors: {allowOrigins: ['https://example.com'], allowMethods: [GET], allowHeaders: [a], exposeHeaders: [b],
              allowCredentials: true, maxAge: 60}}
            backendRefs: [{name: b, port: 80, weight: 2, filters: [{type: ExtensionRef, extensionRef: {group: example.com, kind: Filter,
              name: f}}]}]
          - filters:
            - {type: RequestRedirect, requestRedirect: {scheme: https, hostname: c.example.com, path: {type: ReplaceFullPath,
              replaceFullPath: /c}, port: 8443, statusCode: 301}}
        """;

    private const string GrpcRoute = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: GRPCRoute
        metadata: {name: r}
        spec:
          parentRefs: [{name: g}]
          rules:
          - matches: [{method: {type: Exact, service: a.B, method: C}, headers: [{name: x, value: z}]}]
            sessionPersistence: {type: Header, sessionName: s}
            filters: [{type: RequestMirror, requestMirror: {backendRef: {name: b, port: 80}, fraction: {numerator: 1, denominator: 3}}}]
            backendRefs: [{name: b, port: 80}]
        """;

    private const string Grant = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: ReferenceGrant
        metadata: {name: f}
        spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: a}], to: [{group: "", kind: Service, name: s}]}
        """;

    private const string Class = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: GatewayClass
        metadata: {name: c}
        spec: {controllerName: example.com/controller, description: some, parametersRef: {group: example.com, kind: Settings, name: s}}
        """;

    private EmbeddedCluster.EmbeddedCluster _cluster = null!;
    private KubectlBinary _kubectl = null!;

    public static TheoryData<string, string, string> Misspelt =>
        new()
        {
            { Gateway, "gatewayClassName:", "spec.gatewayClassNam" },
            { Gateway, "certificateRefs:", "spec.listeners[0].tls.certificateRef" },
            { Gateway, "from: Selector", "spec.listeners[0].allowedRoutes.namespaces.fro" },
            { HttpRoute, "rules:", "spec.rule" },
            { HttpRoute, "sectionName:", "spec.parentRefs[0].sectionNam" },
            { HttpRoute, "queryParams:", "spec.rules[0].matches[0].queryParam" },
            { HttpRoute, "attempts:", "spec.rules[0].retry.attempt" },
            { HttpRoute, "weight:", "spec.rules[0].backendRefs[0].weigh" },
            { HttpRoute, "statusCode:", "spec.rules[1].filters[0].requestRedirect.statusCod" },
            { GrpcRoute, "service:", "spec.rules[0].matches[0].method.servic" },
            { GrpcRoute, "denominator:", "spec.rules[0].filters[0].requestMirror.fraction.denominato" },
            { Grant, "to:", "spec.t" },
            { Class, "controllerName:", "spec.controllerNam" },
        };

    public async ValueTask InitializeAsync()
    {
        _cluster = await EmbeddedCluster.EmbeddedCluster.StartAsync();
        await _cluster.InstallCrdsAsync(CrdResources.Tenant);
        _kubectl = new KubectlBinary(_cluster.KubeconfigYaml);
    }

    public async ValueTask DisposeAsync()
    {
        _kubectl.Dispose();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Valid_Gateway_API_object_is_accepted_and_reapply_is_no_change()
    {
        var all = string.Join("\n---\n", Gateway, HttpRoute, GrpcRoute, Grant, Class);

        (await _kubectl.OkAsync("apply -f -", all))
            .Lines.Should()
            .HaveCount(5)
            .And.OnlyContain(line => line.EndsWith(" created", StringComparison.Ordinal));
        var versions = await VersionsAsync();

        // The output of kubectl is not sufficient: it prints "configured" if lists have defaults that are not in the file.
        await _kubectl.OkAsync("apply -f -", all);
        (await VersionsAsync()).Should().Be(versions);

        async Task<string> VersionsAsync() =>
            (
                await _kubectl.OkAsync(
                    "get gateways,httproutes,grpcroutes,referencegrants,gatewayclasses -o jsonpath={.items[*].metadata.resourceVersion}"
                )
            ).Text;
    }

    [Fact]
    public async Task Omitted_fields_get_the_defaults_of_the_Gateway_API()
    {
        await _kubectl.OkAsync(
            "apply -f -",
            """
            apiVersion: gateway.networking.k8s.io/v1
            kind: HTTPRoute
            metadata: {name: short}
            spec: {parentRefs: [{name: g}], rules: [{backendRefs: [{name: b, port: 80}]}]}
            """
        );

        var spec = JsonNode.Parse((await _kubectl.OkAsync("get httproute short -o jsonpath={.spec}")).Text);

        JsonNode
            .DeepEquals(
                spec,
                JsonNode.Parse(
                    """
                    {"parentRefs":[{"group":"gateway.networking.k8s.io","kind":"Gateway","name":"g"}],
                     "rules":[{"matches":[{"path":{"type":"PathPrefix","value":"/"}}],"backendRefs":[{"group":"","kind":"Service",
                       "name":"b","port":80,"weight":1}]}]}
                    """
                )
            )
            .Should()
            .BeTrue(spec!.ToJsonString());
    }

    [Theory]
    [MemberData(nameof(Misspelt))]
    public async Task Misspelt_field_is_reported(string manifest, string field, string path)
    {
        // The last letter of the field name is omitted.
        var colon = field.IndexOf(':', StringComparison.Ordinal);
        var output = await _kubectl.RunAsync("apply -f -", manifest.Replace(field, field.Remove(colon - 1, 1), StringComparison.Ordinal));

        output.ExitCode.Should().Be(1);
        output.Errors.Should().Contain($"strict decoding error: unknown field \"{path}\"");
    }

    [Theory]
    [InlineData(Gateway, "'*.example.com'", "'*'", "hostname")]
    [InlineData(Gateway, "port: 443", "port: 99999999999", "port")]
    [InlineData(Gateway, "port: 443", "port: 80.5", "port")]
    [InlineData(HttpRoute, "[a.example.com]", "['*']", "hostnames")]
    [InlineData(HttpRoute, "{name: a, value: b}", "{name: ':authority', value: b}", "name")]
    [InlineData(HttpRoute, "{name: a, value: b}", "{name: 'a: b', value: b}", "name")]
    [InlineData(HttpRoute, "{name: a, value: b}", "{name: LONG, value: b}", "name")]
    [InlineData(HttpRoute, "request: 10s", "request: -1s", "request")]
    [Trait("Threat", "rejected-by-api-server")]
    public async Task Value_that_violates_the_Gateway_API_is_rejected(string manifest, string old, string value, string field)
    {
        manifest.Should().Contain(old);

        var output = await _kubectl.RunAsync(
            "apply -f -",
            manifest.Replace(old, value.Replace("LONG", new string('a', 5_000), StringComparison.Ordinal), StringComparison.Ordinal)
        );

        output.ExitCode.Should().Be(1);
        output.Errors.Should().Contain(field).And.Contain("nvalid");
    }
}
