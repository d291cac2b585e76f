using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using System.Web;
using k8s;
using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Tests.Fakes;

internal sealed record SeenRequest(HttpMethod Method, string Path, string Query, string Body, string? ContentType)
{
    /// <summary>A complete list, or a page of one; the list of one object only compares versions.</summary>
    public bool IsList =>
        Method == HttpMethod.Get
        && !IsWatch
        && !$"{Query}&".Contains("limit=1&", StringComparison.Ordinal)
        && IsCollection(Path.Trim('/').Split('/'));

    public bool IsWatch => Query.Contains("watch=true", StringComparison.Ordinal);

    private static bool IsCollection(string[] path) =>
        path is ["api", _, ..] ? path.Length % 2 == 1 : path is ["apis", _, _, ..] && path.Length % 2 == 0;

    public bool IsWrite => Method != HttpMethod.Get;
}

/// <summary>
/// As much of an API server as the runtime's tests need, below KubernetesClient in the place of the network: list in pages, watch, merge
/// patch, status, finalizers, and every failure on request.
/// </summary>
internal sealed class FakeApiServer
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, FakeCollection> _collections = [];
    private readonly ConcurrentQueue<SeenRequest> _requests = new();
    private long _version = 100;

    public IReadOnlyCollection<SeenRequest> Requests => _requests;

    public IEnumerable<SeenRequest> Writes => _requests.Where(r => r.IsWrite);

    /// <summary>Answers a request instead of the server; null lets the server answer.</summary>
    public Func<SeenRequest, HttpResponseMessage?>? Intercept { get; set; }

    /// <summary>True to refuse connections.</summary>
    public bool IsDown { get; set; }

    /// <summary>Resources (plural) whose CustomResourceDefinition is not installed.</summary>
    public ConcurrentDictionary<string, bool> NotInstalled { get; } = new();

    public long Version
    {
        get
        {
            lock (_gate)
            {
                return _version;
            }
        }
    }

    public Kubernetes Connect() => new(new KubernetesClientConfiguration { Host = "http://fake.test" }, new Handler(this));

    public T With<T>(string apiVersion, string plural, Func<FakeCollection, T> act)
    {
        lock (_gate)
        {
            return act(Collection(apiVersion, plural));
        }
    }

    public void Widgets(Action<FakeCollection> act) =>
        With(
            "example.com/v1alpha1",
            "widgets",
            c =>
            {
                act(c);
                return 0;
            }
        );

    public T Widgets<T>(Func<FakeCollection, T> act) => With("example.com/v1alpha1", "widgets", act);

    public JsonObject PutWidget(string name, string json = "{}", string ns = "default") =>
        Widgets(c => c.Put(new ResourceKey(ns, name), (JsonObject)JsonNode.Parse(json)!));

    public static HttpResponseMessage Error(int code, string reason, string message) =>
        Json(
            code,
            new JsonObject
            {
                ["kind"] = "Status",
                ["apiVersion"] = "v1",
                ["status"] = "Failure",
                ["code"] = code,
                ["reason"] = reason,
                ["message"] = message,
            }
        );

    /// <summary>404 about an object, as opposed to a kind that is not served.</summary>
    public static HttpResponseMessage Missing(ResourceKey key) =>
        Json(
            404,
            new JsonObject
            {
                ["kind"] = "Status",
                ["apiVersion"] = "v1",
                ["status"] = "Failure",
                ["code"] = 404,
                ["reason"] = "NotFound",
                ["message"] = $"\"{key.Name}\" not found",
                ["details"] = new JsonObject { ["name"] = key.Name },
            }
        );

    public static HttpResponseMessage Json(int code, JsonNode body) =>
        new((HttpStatusCode)code) { Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json") };

    public async Task<HttpResponseMessage> AnswerAsync(HttpRequestMessage message, CancellationToken cancellationToken)
    {
        var body = message.Content is null ? "" : await message.Content.ReadAsStringAsync(cancellationToken);
        var request = new SeenRequest(
            message.Method,
            message.RequestUri!.AbsolutePath,
            message.RequestUri.Query,
            body,
            message.Content?.Headers.ContentType?.MediaType
        );
        if (IsDown)
        {
            throw new HttpRequestException("Connection refused (fake.test:80)", new SocketException((int)SocketError.ConnectionRefused));
        }

        _requests.Enqueue(request);
        if (Intercept?.Invoke(request) is { } answer)
        {
            return answer;
        }

        lock (_gate)
        {
            return Answer(request);
        }
    }

    private HttpResponseMessage Answer(SeenRequest request)
    {
        var parts = request.Path.Trim('/').Split('/');
        if (parts is ["version"])
        {
            return Json(200, new JsonObject { ["gitVersion"] = "v1.34.0" });
        }

        var rest = parts[0] == "api" ? parts[2..] : parts[3..];
        var apiVersion = parts[0] == "api" ? parts[1] : $"{parts[1]}/{parts[2]}";
        var ns = rest is ["namespaces", _, _, ..] ? rest[1] : "";
        rest = ns.Length > 0 ? rest[2..] : rest;
        if (NotInstalled.ContainsKey(rest[0]))
        {
            return Error(404, "NotFound", "the server could not find the requested resource");
        }

        var collection = Collection(apiVersion, rest[0]);
        var query = HttpUtility.ParseQueryString(request.Query);
        return (request.Method.Method, rest.Length) switch
        {
            ("GET", 1) when request.IsWatch => Watch(collection, ns, query["resourceVersion"]),
            ("GET", 1) => List(collection, ns, query["limit"], query["continue"]),
            ("POST", 1) => Create(collection, ns, (JsonObject)JsonNode.Parse(request.Body)!),
            _ => One(request, collection, new ResourceKey(ns, rest[1]), rest.Length > 2),
        };
    }

    private static HttpResponseMessage One(SeenRequest request, FakeCollection collection, ResourceKey key, bool status)
    {
        if (!collection.Objects.TryGetValue(key, out var stored))
        {
            return Missing(key);
        }

        var body = request.Body.Length == 0 ? [] : (JsonObject)JsonNode.Parse(request.Body)!;
        var expected = body["metadata"]?["resourceVersion"]?.GetValue<string>();
        if (expected is not null && expected != stored["metadata"]!["resourceVersion"]!.GetValue<string>())
        {
            return Error(409, "Conflict", "the object has been modified");
        }

        var uid = body["preconditions"]?["uid"]?.GetValue<string>();
        if (uid is not null && uid != stored["metadata"]!["uid"]!.GetValue<string>())
        {
            return Error(409, "Conflict", "the UID in the precondition does not match");
        }

        return request.Method.Method switch
        {
            "GET" => Json(200, stored.DeepClone()),
            "PUT" => Json(200, collection.Put(key, body)),
            "PATCH" => Json(200, collection.Patch(key, body, status)),
            "DELETE" => Json(200, collection.Delete(key) ?? new JsonObject { ["kind"] = "Status", ["status"] = "Success" }),
            _ => Error(405, "MethodNotAllowed", request.Method.Method),
        };
    }

    private static HttpResponseMessage Create(FakeCollection collection, string ns, JsonObject obj)
    {
        var key = new ResourceKey(ns, obj["metadata"]!["name"]!.GetValue<string>());
        return collection.Objects.ContainsKey(key)
            ? Error(409, "AlreadyExists", $"{key} already exists")
            : Json(201, collection.Put(key, obj));
    }

    private HttpResponseMessage List(FakeCollection collection, string ns, string? limit, string? from)
    {
        var all = collection
            .Objects.Where(o => ns.Length == 0 || o.Key.Namespace == ns)
            .OrderBy(o => o.Key.ToString(), StringComparer.Ordinal)
            .ToList();
        var skip = from is null ? 0 : int.Parse(from, CultureInfo.InvariantCulture);
        var take = limit is null ? all.Count : int.Parse(limit, CultureInfo.InvariantCulture);
        var metadata = new JsonObject { ["resourceVersion"] = _version.ToString(CultureInfo.InvariantCulture) };
        if (skip + take < all.Count)
        {
            metadata["continue"] = (skip + take).ToString(CultureInfo.InvariantCulture);
        }

        var items = all.Skip(skip)
            .Take(take)
            .Select(o =>
            {
                // As in a real list: items carry neither apiVersion nor kind.
                var item = (JsonObject)o.Value.DeepClone();
                item.Remove("apiVersion");
                item.Remove("kind");
                return (JsonNode)item;
            });
        return Json(
            200,
            new JsonObject
            {
                ["kind"] = "List",
                ["metadata"] = metadata,
                ["items"] = new JsonArray([.. items]),
            }
        );
    }

    private static HttpResponseMessage Watch(FakeCollection collection, string ns, string? since)
    {
        var version = long.Parse(since!, CultureInfo.InvariantCulture);
        return version < collection.OldestVersion
            ? Error(410, "Expired", "too old resource version")
            : new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(collection.Watch(version, ns).Stream) };
    }

    private FakeCollection Collection(string apiVersion, string plural)
    {
        if (!_collections.TryGetValue($"{apiVersion}/{plural}", out var collection))
        {
            _collections[$"{apiVersion}/{plural}"] = collection = new FakeCollection(apiVersion, plural, () => ++_version);
        }

        return collection;
    }

    private sealed class Handler(FakeApiServer server) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await server.AnswerAsync(request, cancellationToken);
            response.RequestMessage = request;
            return response;
        }
    }
}
