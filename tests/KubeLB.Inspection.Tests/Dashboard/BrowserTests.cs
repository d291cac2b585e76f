using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Inspection.Tests.Dashboard.Support;

namespace KubeLB.Inspection.Tests.Dashboard;

/// <summary>The page in a real browser.</summary>
[Collection(DashboardCollection.Name)]
public sealed class BrowserTests(DashboardFixture fixture)
{
    private const string Markup = "<img src=x onerror=document.title='pwned'><script>document.title='pwned'</script>";

    [Fact]
    public async Task Page_that_is_not_visible_has_no_connection()
    {
        await using var browser = await OpenAsync();
        await browser.WaitAsync("document.querySelectorAll('.row').length >= 3", "the list shows the objects");
        await browser.EvaluateAsync(
            """
            window.streams = [];
            const send = window.fetch;
            window.fetch = (url, options) => {
                if (`${url}`.startsWith('/api/stream')) {
                    streams.push(options.signal);
                }
                return send(url, options);
            };
            window.show = visible => {
                Object.defineProperty(document, 'hidden', { value: !visible, configurable: true });
                document.dispatchEvent(new Event('visibilitychange'));
            };
            show(true);
            """
        );
        await browser.WaitAsync("streams.length === 1 && document.querySelector('#connection').className === 'live'", "it is connected");

        await browser.EvaluateAsync("show(false)");
        (await browser.EvaluateAsync("streams[0].aborted")).GetBoolean().Should().BeTrue();
        await fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", BackendPatch("missing"));

        await browser.EvaluateAsync("show(true)");
        await browser.WaitAsync($"document.querySelector({Quoted(Row("api-route") + " .Broken")}) !== null", "it shows what has changed");
        (await browser.EvaluateAsync("streams.length")).GetInt32().Should().Be(2);
        await fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", BackendPatch("api-backend"));
        await browser.WaitAsync($"document.querySelector({Quoted(Row("api-route") + " .Broken")}) === null", "the route works again");
    }

    [Fact]
    public async Task Page_follows_an_object_with_mouse_and_keyboard()
    {
        await using var browser = await OpenAsync();
        await browser.WaitAsync("document.querySelectorAll('.row').length >= 3", "the list shows the objects");
        (await browser.EvaluateAsync("location.hash")).GetString().Should().NotContain("key", "the key does not stay in the address bar");

        // With the mouse.
        await browser.ClickAsync(Row("api-route"));
        await browser.WaitAsync("document.querySelectorAll('#data li.Ok').length === 5", "the path is drawn");
        (await browser.EvaluateAsync("location.hash")).GetString().Should().Contain("select=HTTPRoute%2Ft1%2Fdefault%2Fapi-route");
        await PictureAsync(browser, "dashboard-light", 1280, 800, "light");
        await PictureAsync(browser, "dashboard-narrow", 400, 800, "light");
        (await browser.EvaluateAsync("document.documentElement.scrollWidth <= 400")).GetBoolean().Should().BeTrue("nothing is cut off");
        await browser.ShowAsync(1280, 800, "light");

        // A request.
        await browser.ClickAsync("#send");
        await browser.WaitAsync("document.querySelector('#data .end')?.closest('li').dataset.key === 'pods'", "the request ends at a pod");

        // A change of an object.
        await fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", BackendPatch("missing"));
        await browser.WaitAsync(
            "document.querySelector('#verdict').className === 'Broken' && document.querySelector('#verdict').innerText.includes('missing')",
            "the path shows where requests stop"
        );
        await browser.WaitAsync($"document.querySelector({Quoted(Row("api-route") + " .Broken")}) !== null", "the list shows it, too");
        await PictureAsync(browser, "dashboard-dark", 1280, 800, "dark");
        await browser.ShowAsync(1280, 800, "light");
        await fixture.Tenant.PatchAsync<HttpRoute>("default", "api-route", BackendPatch("api-backend"));
        await browser.WaitAsync("document.querySelectorAll('#data li.Ok').length === 5", "the path works again");

        // With the keyboard.
        await browser.KeyAsync("Escape");
        await browser.WaitAsync(
            "document.querySelector('#detail').hidden && document.activeElement.id === 'list'",
            "Escape closes the details and focuses the list"
        );
        await browser.KeyAsync("Home");
        await browser.KeyAsync("ArrowDown");
        await browser.KeyAsync("Enter");
        await browser.WaitAsync(
            "document.activeElement.id === 'title' && document.activeElement.innerText === 'Gateway default/my-gateway'",
            "Enter opens the second object"
        );
        (await browser.EvaluateAsync("document.querySelector('#list').getAttribute('aria-activedescendant')"))
            .GetString()
            .Should()
            .Be((await browser.EvaluateAsync("document.querySelector('.row.active').id")).GetString());
        await browser.EvaluateAsync("history.back()");
        await browser.WaitAsync("document.querySelector('#detail').hidden", "the back button closes the details");

        // Filters are in the URL.
        await browser.EvaluateAsync("document.querySelector('#text').focus()");
        await browser.TypeAsync("api-r");
        await browser.WaitAsync(
            "document.querySelectorAll('.row').length === 1 && location.hash === '#text=api-r'",
            "the list is filtered"
        );

        // The URL of an object.
        await browser.OpenAsync(
            new Uri(
                fixture.Server.Url.ToString().Replace("/#", "/?again#", StringComparison.Ordinal) + "&select=Gateway/t1/default/my-gateway"
            )
        );
        await browser.WaitAsync("document.querySelectorAll('#data li.Ok').length === 3", "the path of the Gateway is drawn");
        browser.Errors.Should().BeEmpty();
    }

    [Trait("Threat", "dashboard-markup")]
    [Fact]
    public async Task Markup_in_names_and_messages_is_text()
    {
        const string Namespace = "tenant-hostile";
        const string Uid = "11111111-2222-3333-4444-555555555555";
        // The CCM of t1 would delete a Route without a source.
        await fixture.Management.CreateAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = Namespace } });
        await fixture.Management.CreateAsync(
            new Route
            {
                Metadata = { Name = Uid, NamespaceProperty = Namespace },
                Spec = new RouteSpec
                {
                    Endpoints = [new RouteEndpoint { Name = "default" }],
                    Source = new RouteSource
                    {
                        Kubernetes = new KubernetesSource
                        {
                            Resource = new JsonObject
                            {
                                ["apiVersion"] = GatewayApiVersion.ApiVersion,
                                ["kind"] = HttpRoute.KindName,
                                ["metadata"] = new JsonObject
                                {
                                    ["name"] = Markup,
                                    ["namespace"] = Markup,
                                    ["uid"] = Uid,
                                },
                                ["spec"] = new JsonObject { ["hostnames"] = new JsonArray(Markup) },
                            },
                        },
                    },
                },
            }
        );
        try
        {
            await fixture.Tenant.CreateAsync(
                new Corev1Event
                {
                    Metadata = new V1ObjectMeta { Name = "hostile", NamespaceProperty = "default" },
                    InvolvedObject = new V1ObjectReference
                    {
                        ApiVersion = GatewayApiVersion.ApiVersion,
                        Kind = Gateway.KindName,
                        Name = "my-gateway",
                        NamespaceProperty = "default",
                    },
                    Type = "Warning",
                    Reason = "Hostile",
                    Message = Markup,
                    LastTimestamp = DateTime.UtcNow,
                }
            );
            await using var browser = await OpenAsync();
            await browser.WaitAsync($"document.querySelector('#list').innerText.includes({Quoted(Markup)})", "the name is shown as text");
            await browser.EvaluateAsync(
                $"[...document.querySelectorAll('.row')].find(r => r.innerText.includes({Quoted(Markup)})).click()"
            );
            await browser.WaitAsync($"document.querySelector('#title').innerText.includes({Quoted(Markup)})", "the title shows it as text");
            await browser.EvaluateAsync("[...document.querySelectorAll('.row')].find(r => r.innerText.includes('my-gateway')).click()");
            await browser.WaitAsync(
                $"document.querySelector('#time').innerText.includes({Quoted(Markup)})",
                "the message is shown as text"
            );

            (await browser.EvaluateAsync("document.querySelectorAll('img, script:not([src]), iframe, a').length"))
                .GetInt32()
                .Should()
                .Be(0);
            (await browser.EvaluateAsync("document.title")).GetString().Should().NotBe("pwned");
            (
                await browser.EvaluateAsync(
                    "(() => { try { document.body.innerHTML = '<b>x</b>'; return 'parsed'; } catch { return 'rejected'; } })()"
                )
            )
                .GetString()
                .Should()
                .Be("rejected", "the policy forbids to parse text as HTML");
        }
        finally
        {
            await fixture.Management.DeleteAsync<Route>(Namespace, Uid);
            await fixture.Tenant.DeleteAsync<Corev1Event>("default", "hostile");
        }
    }

    [Trait("Threat", "dashboard-access")]
    [Fact]
    public async Task Page_without_the_key_shows_no_data()
    {
        await using var browser = await Chromium.StartAsync();
        await browser.OpenAsync(fixture.Server.Address);
        await browser.WaitAsync("!document.querySelector('#notice').hidden", "the page says that it has no access");

        (await browser.EvaluateAsync("document.querySelectorAll('.row').length")).GetInt32().Should().Be(0);
        await browser.OpenAsync(new Uri(fixture.Server.CreateOpenUrl().ToString().Replace("/#", "/?open#", StringComparison.Ordinal)));
        await browser.WaitAsync("document.querySelectorAll('.row').length >= 3", "the code of --open gives access");
    }

    private async Task<Chromium> OpenAsync()
    {
        var browser = await Chromium.StartAsync();
        await browser.ShowAsync(1280, 800, "light");
        await browser.OpenAsync(fixture.Server.Url);
        await browser.WaitAsync("document.querySelector('#connection')?.className === 'live'", "the page is connected");
        return browser;
    }

    private static string Row(string name) => $".row:has(.name[data-name$=\"{name}\"])";

    private static string Quoted(string text) => JsonSerializer.Serialize(text);

    private static string BackendPatch(string service) =>
        $$$"""{"spec":{"rules":[{"backendRefs":[{"name":"{{{service}}}","port":8080}]}]}}""";

    // KUBELB_PICTURES=docs/images renews the pictures of the documentation.
    private static async Task PictureAsync(Chromium browser, string name, int width, int height, string colors)
    {
        await browser.ShowAsync(width, height, colors);
        var picture = await browser.PictureAsync();
        picture.Should().NotBeEmpty();
        if (Environment.GetEnvironmentVariable("KUBELB_PICTURES") is { Length: > 0 } folder)
        {
            await File.WriteAllBytesAsync(Path.Combine(folder, name + ".png"), picture);
        }
    }
}
