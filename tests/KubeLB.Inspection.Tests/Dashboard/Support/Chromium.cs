using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using KubeLB.Tests.Shared;

namespace KubeLB.Inspection.Tests.Dashboard.Support;

/// <summary>A tab of a real browser, driven over the DevTools protocol.</summary>
/// <remarks>https://chromedevtools.github.io/devtools-protocol/</remarks>
internal sealed class Chromium : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly string _profile;
    private readonly ClientWebSocket _socket = new();
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonElement>> _calls = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly SemaphoreSlim _sending = new(1, 1);
    private Task _receiving = Task.CompletedTask;
    private int _lastCall;

    private Chromium(Process process, string profile)
    {
        _process = process;
        _profile = profile;
    }

    /// <summary>Exceptions and errors in the console of the page.</summary>
    public IReadOnlyCollection<string> Errors => _errors;

    /// <summary>Starts a browser with an empty tab.</summary>
    public static async Task<Chromium> StartAsync()
    {
        var binary = ChromiumBinary.Require();
        var profile = Directory.CreateTempSubdirectory("kubelb-chromium-").FullName;
        var start = new ProcessStartInfo(binary) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (
            var argument in new[]
            {
                "--headless=new",
                "--remote-debugging-port=0",
                "--no-sandbox",
                "--no-first-run",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                $"--user-data-dir={profile}",
                "about:blank",
            }
        )
        {
            start.ArgumentList.Add(argument);
        }

        var browser = new Chromium(Process.Start(start)!, profile);
        try
        {
            await browser.ConnectAsync();
            return browser;
        }
        catch
        {
            await browser.DisposeAsync();
            throw;
        }
    }

    /// <summary>Opens a URL.</summary>
    public Task OpenAsync(Uri url) => CallAsync("Page.navigate", new JsonObject { ["url"] = url.AbsoluteUri });

    /// <summary>The value of an expression.</summary>
    public async Task<JsonElement> EvaluateAsync(string expression)
    {
        var result = await CallAsync(
            "Runtime.evaluate",
            new JsonObject
            {
                ["expression"] = expression,
                ["returnByValue"] = true,
                ["awaitPromise"] = true,
            }
        );
        result.TryGetProperty("exceptionDetails", out var details).Should().BeFalse($"{expression} must not throw: {details}");
        return result.GetProperty("result").TryGetProperty("value", out var value) ? value : default;
    }

    /// <summary>Waits until an expression is true. While the page is loaded, it may throw.</summary>
    public Task WaitAsync(string expression, string what) =>
        Eventually.GetAsync(
            what,
            async () =>
                (
                    Holds: await EvaluateAsync($"(() => {{ try {{ return {expression}; }} catch {{ return false; }} }})()"),
                    Text: await EvaluateAsync("document.body?.innerText ?? ''")
                ),
            seen => seen.Holds.ValueKind == JsonValueKind.True,
            seen => $"{seen.Text}\nErrors: {string.Join('\n', _errors)}"
        );

    /// <summary>Clicks on the center of an element, like a user.</summary>
    public async Task ClickAsync(string selector)
    {
        var box = await EvaluateAsync(
            $$"""
            (() => {
                const element = document.querySelector({{JsonSerializer.Serialize(selector)}});
                element.scrollIntoView({ block: 'nearest' });
                const box = element.getBoundingClientRect();
                return [box.x + box.width / 2, box.y + box.height / 2];
            })()
            """
        );
        foreach (var type in new[] { "mousePressed", "mouseReleased" })
        {
            await CallAsync(
                "Input.dispatchMouseEvent",
                new JsonObject
                {
                    ["type"] = type,
                    ["x"] = box[0].GetDouble(),
                    ["y"] = box[1].GetDouble(),
                    ["button"] = "left",
                    ["clickCount"] = 1,
                }
            );
        }
    }

    /// <summary>Presses a key without a character.</summary>
    public async Task KeyAsync(string key)
    {
        foreach (var type in new[] { "rawKeyDown", "keyUp" })
        {
            await CallAsync(
                "Input.dispatchKeyEvent",
                new JsonObject
                {
                    ["type"] = type,
                    ["key"] = key,
                    ["code"] = key,
                    ["windowsVirtualKeyCode"] = key switch
                    {
                        "Enter" => 13,
                        "Escape" => 27,
                        "Tab" => 9,
                        _ => 0,
                    },
                }
            );
        }
    }

    /// <summary>Types text into the focused element.</summary>
    public Task TypeAsync(string text) => CallAsync("Input.insertText", new JsonObject { ["text"] = text });

    /// <summary>Sets the size of the window and the preferred colors.</summary>
    public async Task ShowAsync(int width, int height, string colors)
    {
        await CallAsync(
            "Emulation.setDeviceMetricsOverride",
            new JsonObject
            {
                ["width"] = width,
                ["height"] = height,
                ["deviceScaleFactor"] = 1,
                ["mobile"] = false,
            }
        );
        await CallAsync(
            "Emulation.setEmulatedMedia",
            new JsonObject
            {
                ["features"] = new JsonArray(
                    new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = colors },
                    new JsonObject { ["name"] = "prefers-reduced-motion", ["value"] = "reduce" }
                ),
            }
        );
    }

    /// <summary>A picture of the window as PNG.</summary>
    public async Task<byte[]> PictureAsync() =>
        Convert.FromBase64String(
            (await CallAsync("Page.captureScreenshot", new JsonObject { ["format"] = "png" })).GetProperty("data").GetString()!
        );

    public async ValueTask DisposeAsync()
    {
        _socket.Abort();
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        await _process.WaitForExitAsync();
        await _receiving;
        _process.Dispose();
        _socket.Dispose();
        _sending.Dispose();
        // Processes of the browser may still write to it.
        await Eventually.HoldsAsync(
            () =>
            {
                try
                {
                    Directory.Delete(_profile, recursive: true);
                    return true;
                }
                catch (DirectoryNotFoundException)
                {
                    return true;
                }
                catch (IOException)
                {
                    return false;
                }
            },
            "the profile of the browser is deleted"
        );
    }

    private async Task ConnectAsync()
    {
        using var deadline = new CancellationTokenSource(Deadline);
        string? line;
        do
        {
            line = await _process.StandardError.ReadLineAsync(deadline.Token);
        } while (line?.StartsWith("DevTools listening on ", StringComparison.Ordinal) == false);

        line.Should().NotBeNull("Chromium must report where it listens");
        _ = _process.StandardError.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
        _ = _process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
        var browser = new Uri(line!["DevTools listening on ".Length..]);
        using var http = new HttpClient();
        using var tabs = JsonDocument.Parse(await http.GetStringAsync(new Uri($"http://{browser.Authority}/json/list"), deadline.Token));
        var tab = tabs.RootElement.EnumerateArray().First(t => t.GetProperty("type").GetString() == "page");
        await _socket.ConnectAsync(new Uri(tab.GetProperty("webSocketDebuggerUrl").GetString()!), deadline.Token);
        _receiving = ReceiveAsync();
        foreach (var domain in new[] { "Page", "Runtime", "Log", "Network" })
        {
            await CallAsync($"{domain}.enable", []);
        }
    }

    private async Task<JsonElement> CallAsync(string method, JsonObject parameters)
    {
        var id = Interlocked.Increment(ref _lastCall);
        var call = _calls[id] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var message = new JsonObject
        {
            ["id"] = id,
            ["method"] = method,
            ["params"] = parameters,
        };
        await _sending.WaitAsync();
        try
        {
            await _socket.SendAsync(Encoding.UTF8.GetBytes(message.ToJsonString()), WebSocketMessageType.Text, true, default);
        }
        finally
        {
            _sending.Release();
        }

        var response = await call.Task.WaitAsync(Deadline);
        response.TryGetProperty("error", out var error).Should().BeFalse($"{method} must succeed: {error}");
        return response.GetProperty("result");
    }

    private async Task ReceiveAsync()
    {
        var buffer = new byte[64 * 1024];
        using var message = new MemoryStream();
        try
        {
            while (true)
            {
                var part = await _socket.ReceiveAsync(buffer.AsMemory(), default);
                message.Write(buffer, 0, part.Count);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    return;
                }

                if (part.EndOfMessage)
                {
                    Handle(JsonDocument.Parse(message.ToArray()).RootElement);
                    message.SetLength(0);
                }
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            foreach (var call in _calls.Values)
            {
                call.TrySetException(e);
            }
        }
    }

    private void Handle(JsonElement message)
    {
        if (message.TryGetProperty("id", out var id))
        {
            _calls.TryRemove(id.GetInt32(), out var call);
            call!.SetResult(message);
            return;
        }

        var parameters = message.GetProperty("params");
        var isError = message.GetProperty("method").GetString() switch
        {
            "Runtime.exceptionThrown" => true,
            "Runtime.consoleAPICalled" => parameters.GetProperty("type").GetString() is "error" or "warning",
            "Log.entryAdded" => parameters.GetProperty("entry").GetProperty("level").GetString() is "error" or "warning",
            _ => false,
        };
        if (isError)
        {
            _errors.Enqueue(parameters.ToString());
        }
    }
}
