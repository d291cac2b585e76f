using System.Globalization;
using System.Text.Json.Nodes;
using KubeLB.Runtime.Applying;
using KubeLB.Runtime.Storing;

namespace KubeLB.Runtime.Tests.Fakes;

/// <summary>The objects of one resource in a <see cref="FakeApiServer"/>, their history and their watchers. Locked by the server.</summary>
internal sealed class FakeCollection(string apiVersion, string plural, Func<long> nextVersion)
{
    private readonly List<(long Version, string Type, JsonObject Object)> _history = [];
    private readonly List<FakeWatch> _watches = [];
    private int _uids;

    public Dictionary<ResourceKey, JsonObject> Objects { get; } = [];

    public string ApiVersion { get; } = apiVersion;

    /// <summary>Watches from before this version are answered with 410.</summary>
    public long OldestVersion { get; set; }

    public int OpenWatches => _watches.Count(watch => watch.IsOpen);

    /// <summary>What the API server does to an object before it stores it.</summary>
    public Action<JsonObject>? Default { get; set; }

    public JsonObject Put(ResourceKey key, JsonObject obj)
    {
        var before = Objects.GetValueOrDefault(key);
        var version = nextVersion();
        var metadata = (JsonObject)(obj["metadata"] ??= new JsonObject());
        metadata["name"] = key.Name;
        if (key.Namespace.Length > 0)
        {
            metadata["namespace"] = key.Namespace;
        }

        metadata["uid"] = before?["metadata"]!["uid"]!.DeepClone() ?? JsonValue.Create($"{plural}-{key.Name}-{++_uids}");
        metadata["resourceVersion"] = before?["metadata"]!["resourceVersion"]!.DeepClone();
        metadata["creationTimestamp"] = "2026-01-01T00:00:00Z";
        obj["apiVersion"] = ApiVersion;
        Default?.Invoke(obj);
        if (before is not null && JsonNode.DeepEquals(before, obj))
        {
            return (JsonObject)before.DeepClone();
        }

        metadata["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture);
        Objects[key] = obj;
        Notify(version, before is null ? "ADDED" : "MODIFIED", obj);
        if (metadata["deletionTimestamp"] is not null && metadata["finalizers"] is not JsonArray { Count: > 0 })
        {
            Remove(key);
        }

        return (JsonObject)obj.DeepClone();
    }

    public JsonObject Patch(ResourceKey key, JsonObject patch, bool statusOnly)
    {
        var before = Objects[key];
        var after = (JsonObject)MergePatch.Apply(before, patch)!;
        if (statusOnly)
        {
            var status = after["status"]?.DeepClone();
            after = (JsonObject)before.DeepClone();
            after["status"] = status;
        }
        else if (before["status"] is { } status)
        {
            after["status"] = status.DeepClone();
        }

        return Put(key, after);
    }

    public JsonObject? Delete(ResourceKey key)
    {
        var obj = Objects[key];
        if (obj["metadata"]!["finalizers"] is JsonArray { Count: > 0 })
        {
            var dying = (JsonObject)obj.DeepClone();
            dying["metadata"]!["deletionTimestamp"] = "2026-01-02T00:00:00Z";
            return Put(key, dying);
        }

        Remove(key);
        return null;
    }

    /// <summary>Removes an object without telling anybody, as if the events had been compacted away.</summary>
    public void Vanish(ResourceKey key)
    {
        Objects.Remove(key);
        nextVersion();
    }

    /// <summary>Creates or changes an object without telling anybody, as a restore of the storage does.</summary>
    public void PutSilently(ResourceKey key)
    {
        var watches = _watches.ToList();
        var sent = _history.Count;
        _watches.Clear();
        Put(key, Objects.TryGetValue(key, out var before) ? Touched((JsonObject)before.DeepClone()) : []);
        _watches.AddRange(watches);
        _history.RemoveRange(sent, _history.Count - sent);

        static JsonObject Touched(JsonObject obj)
        {
            obj["touched"] = true;
            return obj;
        }
    }

    public FakeWatch Watch(long since, string? ns)
    {
        var watch = new FakeWatch(ns);
        _watches.RemoveAll(w => !w.IsOpen);
        _watches.Add(watch);
        foreach (var (_, type, obj) in _history.Where(e => e.Version > since))
        {
            watch.Send(type, obj);
        }

        return watch;
    }

    public void Bookmark(long version) =>
        Send(
            "BOOKMARK",
            new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture) } }
        );

    public void Send(string type, JsonObject obj) => _watches.ForEach(watch => watch.Send(type, obj));

    public void Drop(bool abruptly) => _watches.ForEach(watch => watch.End(abruptly));

    private void Remove(ResourceKey key)
    {
        Objects.Remove(key, out var obj);
        var last = (JsonObject)obj!.DeepClone();
        var version = nextVersion();
        last["metadata"]!["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture);
        Notify(version, "DELETED", last);
    }

    private void Notify(long version, string type, JsonObject obj)
    {
        _history.Add((version, type, (JsonObject)obj.DeepClone()));
        Send(type, obj);
    }
}
