using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using KubeLB.EmbeddedCluster.Applying;
using KubeLB.EmbeddedCluster.CustomResources;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Writing;
using Microsoft.Extensions.Time.Testing;

namespace KubeLB.EmbeddedCluster.Tests.Applying;

/// <summary>Properties of server-side apply for random objects, managers and orders.</summary>
public sealed class OwnershipPropertyTests
{
    private static readonly ResourceDefinition Resource = CustomResource
        .Read(
            (JsonObject)
                YamlReading
                    .ParseAll(
                        """
                        spec:
                          group: example.com
                          scope: Namespaced
                          names: {plural: things, kind: Thing}
                          versions:
                          - name: v1
                            served: true
                            storage: true
                            schema:
                              openAPIV3Schema:
                                type: object
                                properties:
                                  spec:
                                    type: object
                                    properties:
                                      a1: {type: integer}
                                      a2: {type: integer}
                                      b1: {type: integer}
                                      b2: {type: integer}
                                      nested: {type: object, properties: {a1: {type: integer}, b1: {type: integer}}}
                                      map: {type: object, additionalProperties: {type: integer}}
                                      free: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                      set: {type: array, x-kubernetes-list-type: set, items: {type: string}}
                                      whole: {type: array, items: {type: integer}}
                                      items:
                                        type: array
                                        x-kubernetes-list-type: map
                                        x-kubernetes-list-map-keys: [name, protocol]
                                        items: {type: object, properties: {name: {type: string}, protocol: {type: string, default: TCP},
                                          a1: {type: integer}, b1: {type: integer}}}
                        """
                    )
                    .Single()
        )
        .Single();

    private static readonly FakeTimeProvider Time = new();
    private static readonly ServerSideApply Applying = new(Time);
    private static readonly FieldOwnership Ownership = new(Time);
    private static readonly string[] Managers = ["one", "two", "three"];

    private static readonly Gen<JsonObject> AnyConfiguration = Configuration("a1", "a2", "b1", "b2");

    private static readonly Gen<Step> AnyStep = Gen.Select(
            Gen.Int[0, Managers.Length - 1].Select(index => Managers[index]),
            AnyConfiguration,
            Gen.Int[0, 3]
        )
        .Select(step => new Step(step.Item1, step.Item2, step.Item3));

    [Fact]
    public void Apply_is_idempotent() =>
        Gen.Select(AnyStep.List[0, 5], AnyConfiguration)
            .Sample(
                (steps, configuration) =>
                {
                    var once = Applied(Run(steps), "one", configuration, force: true);
                    var twice = Applied(once, "one", configuration, force: false);

                    return JsonNode.DeepEquals(once, twice);
                }
            );

    [Fact]
    public void Appliers_of_different_fields_keep_their_fields() =>
        Gen.Select(Configuration("a1", "a2"), Configuration("b1", "b2"))
            .Sample(
                (first, second) =>
                {
                    var tree = Applied(Applied(null, "one", first, force: false), "two", second, force: false);
                    tree = Applied(tree, "one", first, force: false);

                    return Contains(tree, first) && Contains(tree, second);
                }
            );

    [Fact]
    public void Field_of_one_applier_is_removed_when_no_longer_applied() =>
        Gen.Select(AnyConfiguration, Configuration("b1", "b2"))
            .Sample(
                (first, second) =>
                {
                    var tree = Applied(Applied(null, "one", first, force: false), "one", second, force: false);

                    return JsonNode.DeepEquals(Stripped(tree), Stripped(Applied(null, "one", second, force: false)));
                }
            );

    [Fact]
    public void Forced_apply_takes_ownership_of_different_fields() =>
        Gen.Select(AnyStep.List[0, 5], AnyConfiguration)
            .Sample(
                (steps, configuration) =>
                {
                    var before = Run(steps);
                    var tree = Applied(before, "forcing", configuration, force: true);
                    var own = Owned(tree, "forcing");
                    if (before is not null)
                    {
                        var changed = FieldComparison.Of(before, tree, FieldShapes.Of(Resource)).Modified;
                        foreach (var manager in Managers)
                        {
                            if (!Owned(tree, manager).Intersect(changed).IsEmpty)
                            {
                                return false;
                            }
                        }
                    }
                    return Contains(tree, configuration)
                        && AppliedFields.Of(configuration, FieldShapes.Of(Resource)).Child("f:spec") is var wanted
                        && (wanted is null || wanted.Except(own.Child("f:spec") ?? new FieldSet()).IsEmpty);
                }
            );

    [Fact]
    public void Unforced_apply_changes_no_field_of_another_manager() =>
        Gen.Select(AnyStep.List[1, 5], AnyConfiguration)
            .Sample(
                (steps, configuration) =>
                {
                    var before = Run(steps)!;
                    JsonObject after;
                    try
                    {
                        after = Applied(before, "other", configuration, force: false);
                    }
                    catch (ApiException conflict) when (conflict.Status.Code == 409)
                    {
                        return true;
                    }
                    var changes = FieldComparison.Of(before, after, FieldShapes.Of(Resource));
                    return Managers.All(manager => Owned(before, manager).Intersect(changes.Modified.Union(changes.Removed)).IsEmpty);
                }
            );

    [Fact]
    public void Managed_fields_contain_only_existing_fields() =>
        AnyStep
            .List[1, 8]
            .Sample(steps =>
            {
                var tree = Run(steps)!;
                return (tree["metadata"]!["managedFields"]?.AsArray() ?? [])
                    .SelectMany(entry => FieldSet.Parse(entry!["fieldsV1"]!.AsObject()).Paths())
                    .All(path => Exists(tree, path));
            });

    [Fact]
    public void FieldsV1_round_trips() =>
        AnyConfiguration.Sample(configuration =>
        {
            var fields = AppliedFields.Of(configuration, FieldShapes.Of(Resource));
            var read = FieldSet.Parse((JsonObject)JsonNode.Parse(fields.ToJson().ToJsonString())!);

            return read.SameAs(fields)
                && read.Except(fields).IsEmpty
                && read.Intersect(fields).SameAs(fields)
                && read.Union(fields).SameAs(fields);
        });

    [Fact]
    public async Task Fuzzed_apply_is_never_an_internal_error()
    {
        await using var cluster = await EmbeddedCluster.StartAsync(new EmbeddedClusterOptions { Tls = false });
        using var http = new HttpClient { BaseAddress = cluster.Url };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", cluster.ClientConfiguration().AccessToken);
        const string Body = """
            {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"x","labels":{"a":"b"},"finalizers":["a/b"],
              "ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p","uid":"u"}]},
            "spec":{"replicas":2,"selector":{"matchLabels":{"a":"b"}},"strategy":{"rollingUpdate":{"maxSurge":1}},
              "template":{"metadata":{"labels":{"a":"b"}},
            "spec":{"nodeSelector":{"x":"y"},"containers":[{"name":"c","image":"i","ports":[{"containerPort":80}],"env":[{"name":"E",
              "value":"1"}],"resources":{"limits":{"cpu":1}}}],
            "volumes":[{"name":"v","configMap":{"name":"m"}}],"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"k",
              "whenUnsatisfiable":"DoNotSchedule"}]}}}}
            """;
        string[] fragments =
        [
            "null",
            "{}",
            "[]",
            "-1",
            "1.5",
            "\"\"",
            "\"x\"",
            "true",
            "[null]",
            "[{}]",
            "[[1]]",
            "{\"a\":null}",
            "[{\"name\":null}]",
            "[{\"name\":\"c\"},{\"name\":\"c\"}]",
        ];
        var random = new Random(7);
        var answers = new Dictionary<int, int>();
        for (var i = 0; i < 1_500; i++)
        {
            var tree = JsonNode.Parse(Body)!.AsObject();
            for (var mutations = random.Next(0, 3); mutations > 0; mutations--)
            {
                Mutate(tree, JsonNode.Parse(fragments[random.Next(fragments.Length)]), random);
            }
            var path =
                $"/apis/apps/v1/namespaces/default/deployments/x{(random.Next(5) == 0 ? "/status" : "")}"
                + $"?fieldManager=m{random.Next(3)}&force={(random.Next(3) > 0 ? "true" : "false")}";
            using var content = new StringContent(tree.ToJsonString(), Encoding.UTF8, "application/apply-patch+yaml");
            using var response = await http.PatchAsync(path, content);
            ((int)response.StatusCode)
                .Should()
                .BeLessThan(500, $"{path} with {tree.ToJsonString()} was answered {await response.Content.ReadAsStringAsync()}");
            answers[(int)response.StatusCode] = answers.GetValueOrDefault((int)response.StatusCode) + 1;
        }
        answers.Should().ContainKeys(200, 400, 409, 422);
    }

    private static void Mutate(JsonObject root, JsonNode? fragment, Random random)
    {
        var places = new List<Action>();
        void Collect(JsonNode? node)
        {
            switch (node)
            {
                case JsonObject tree:
                    foreach (var (name, item) in tree)
                    {
                        if (name is not ("apiVersion" or "kind"))
                        {
                            places.Add(() => tree[name] = fragment?.DeepClone());
                        }
                        Collect(item);
                    }
                    places.Add(() => tree["more"] = fragment?.DeepClone());
                    break;
                case JsonArray list:
                    for (var i = 0; i < list.Count; i++)
                    {
                        var at = i;
                        places.Add(() => list[at] = fragment?.DeepClone());
                        Collect(list[i]);
                    }
                    places.Add(() => list.Add(fragment?.DeepClone()));
                    break;
            }
        }
        Collect(root);
        places[random.Next(places.Count)]();
    }

    private static JsonObject? Run(IEnumerable<Step> steps)
    {
        JsonObject? tree = null;
        foreach (var step in steps)
        {
            try
            {
                tree =
                    step.Kind == 0 && tree is not null
                        ? Updated(tree, step.Manager, step.Configuration)
                        : Applied(tree, step.Manager, step.Configuration, force: step.Kind > 1);
            }
            catch (ApiException conflict) when (conflict.Status.Code == 409)
            {
                // The object is unchanged.
            }
        }
        return tree;
    }

    private static JsonObject Applied(JsonObject? current, string manager, JsonObject configuration, bool force) =>
        Applying.Apply(Resource, current?.Copy(), configuration, new WriteOptions { Manager = manager }, force);

    /// <summary>Sets the fields of the configuration and removes a member.</summary>
    private static JsonObject Updated(JsonObject current, string manager, JsonObject configuration)
    {
        var tree = current.Copy();
        var spec = tree.Ensure("spec");
        if (spec.Count > 0)
        {
            spec.Remove(spec.First().Key);
        }
        foreach (var (name, value) in configuration["spec"]!.AsObject())
        {
            spec[name] = value?.DeepClone();
        }
        Ownership.Track(Resource, current, tree, "", manager);
        return tree;
    }

    private static FieldSet Owned(JsonObject tree, string manager) =>
        (tree["metadata"]!["managedFields"]?.AsArray() ?? [])
            .Where(entry => (string?)entry!["manager"] == manager)
            .Aggregate(new FieldSet(), (fields, entry) => fields.Union(FieldSet.Parse(entry!["fieldsV1"]!.AsObject())));

    private static JsonObject Stripped(JsonObject tree)
    {
        var copy = tree.Copy();
        copy["metadata"]!.AsObject().Remove("managedFields");
        return copy;
    }

    private static bool Contains(JsonNode? tree, JsonNode? part) =>
        part switch
        {
            JsonObject members => tree is JsonObject owner && members.All(member => Contains(owner[member.Key], member.Value)),
            JsonArray list => tree is JsonArray found && list.All(item => found.Any(candidate => Contains(candidate, item))),
            _ => JsonNode.DeepEquals(tree, part),
        };

    private static bool Exists(JsonNode? node, IReadOnlyList<string> path)
    {
        foreach (var element in path)
        {
            if (FieldElement.MemberName(element) is { } name)
            {
                if (node is not JsonObject tree || !tree.TryGetPropertyValue(name, out node))
                {
                    return false;
                }
                continue;
            }
            var value = JsonNode.Parse(element[2..]);
            var item = (node as JsonArray)?.FirstOrDefault(candidate =>
                element[0] == 'v'
                    ? JsonNode.DeepEquals(candidate, value)
                    : value!
                        .AsObject()
                        .All(key => JsonNode.DeepEquals(candidate![key.Key] ?? (key.Key == "protocol" ? "TCP" : null), key.Value))
            );
            if (item is null)
            {
                return false;
            }
            node = item;
        }
        return true;
    }

    /// <summary>Configurations with these members, and with map, set and list entries of these names.</summary>
    private static Gen<JsonObject> Configuration(params string[] names)
    {
        var part = Gen.Select(Gen.Int[0, 6], Gen.Int[0, names.Length - 1].Select(index => names[index]), Gen.Int[0, 2], Gen.Bool);
        return part.List[0, 6]
            .Select(parts =>
            {
                var spec = new JsonObject();
                foreach (var (kind, name, value, flag) in parts)
                {
                    switch (kind)
                    {
                        case 0:
                            spec[name] = value;
                            break;
                        case 1 when name is "a1" or "b1":
                            spec.Ensure("nested")[name] = value;
                            break;
                        case 2:
                            spec.Ensure("map")[name] = value;
                            break;
                        case 3:
                            spec.Ensure("free").Ensure(name)["deep"] = flag ? value : new JsonArray(value);
                            break;
                        case 4 when spec.Array("set")?.Strings().Contains(name) != true:
                            Ensure(spec, "set").Add(name);
                            break;
                        case 5 when spec.Array("items").Objects().All(item => item.Text("name") != name):
                            var item = new JsonObject { ["name"] = name, [name[0] + "1"] = value };
                            if (flag)
                            {
                                item["protocol"] = "UDP";
                            }
                            Ensure(spec, "items").Add(item);
                            break;
                        case 6 when names.Length == 4:
                            spec["whole"] = new JsonArray(value);
                            break;
                    }
                }
                return new JsonObject
                {
                    ["apiVersion"] = "example.com/v1",
                    ["kind"] = "Thing",
                    ["metadata"] = new JsonObject { ["name"] = "x" },
                    ["spec"] = spec,
                };
            });
    }

    private static JsonArray Ensure(JsonObject spec, string name)
    {
        if (spec.Array(name) is { } list)
        {
            return list;
        }
        spec[name] = list = [];
        return list;
    }

    /// <summary>One write: kind 0 is an update, 1 an apply, 2 and 3 forced ones.</summary>
    private sealed record Step(string Manager, JsonObject Configuration, int Kind)
    {
        public override string ToString() =>
            $"{Manager} {(Kind == 0 ? "updates" : Kind == 1 ? "applies" : "forces")} {Configuration["spec"]!.ToJsonString()}";
    }
}
