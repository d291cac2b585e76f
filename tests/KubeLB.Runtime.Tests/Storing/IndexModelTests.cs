using CsCheck;
using k8s.Models;
using KubeLB.Runtime.Storing;
using KubeLB.Runtime.Tests.Fakes;

namespace KubeLB.Runtime.Tests.Storing;

public sealed class IndexModelTests
{
    private static readonly string[] Colours = ["red", "green", "blue", "red,blue", "", "throws"];

    private static readonly Dictionary<string, Func<Widget, IEnumerable<string>>> Indexes = new()
    {
        ["colour"] = w =>
            w.Spec!.Colour == "throws" ? throw new FormatException() : w.Spec.Colour!.Split(',', StringSplitOptions.RemoveEmptyEntries),
        ["size"] = w => [w.Spec!.Size.ToString()!, w.Spec.Size.ToString()!],
    };

    /// <summary>After any sequence of events an index finds what looking at every object finds.</summary>
    [Fact]
    public void Indexes_equal_a_full_scan_after_random_changes() =>
        Gen.Select(Gen.Int[0, 6], Gen.Int[0, 5], Gen.Int[0, 2], Gen.Int[0, 9])
            .Array[0, 60]
            .Sample(
                script =>
                {
                    var failed = new HashSet<ResourceKey>();
                    var store = new ObjectStore<Widget>(Indexes, (_, key, _) => failed.Add(key), e => throw e, _ => { });
                    var model = new Dictionary<ResourceKey, Widget>();
                    var version = 0;
                    foreach (var (name, colour, size, action) in script)
                    {
                        var widget = At($"w{name}", ++version, Colours[colour], size);
                        var key = ResourceKey.Of(widget);
                        switch (action)
                        {
                            case 0:
                                store.Delete(widget);
                                model.Remove(key);
                                break;
                            case 1:
                                var kept = model.Values.Where(w => w.Metadata.Name != $"w{name}").ToList();
                                store.Replace(kept, $"{version}", new HashSet<ResourceKey>());
                                model = kept.ToDictionary(w => ResourceKey.Of(w));
                                break;
                            default:
                                store.Upsert(widget);
                                model[key] = widget;
                                break;
                        }
                    }

                    store.List().Should().BeEquivalentTo(model.Values, o => o.WithoutStrictOrdering());
                    foreach (var value in (string[])["red", "green", "blue", "none"])
                    {
                        Names(store.ByIndex("colour", value)).Should().Equal(Scan(model, w => w.Spec!.Colour!.Split(',').Contains(value)));
                    }

                    for (var size = 0; size < 3; size++)
                    {
                        Names(store.ByIndex("size", $"{size}")).Should().Equal(Scan(model, w => w.Spec!.Size == size));
                        store.CountByIndex("size", $"{size}").Should().Be(model.Values.Count(w => w.Spec!.Size == size));
                    }
                },
                iter: 300
            );

    [Fact]
    public void Unregistered_index_is_reported_by_name()
    {
        var store = new ObjectStore<Widget>(Indexes, (_, _, _) => { }, _ => { }, _ => { });
        FluentActions
            .Invoking(() => store.ByIndex("shape", "round"))
            .Should()
            .Throw<ArgumentException>()
            .WithMessage("*no index \"shape\"*colour*");
    }

    private static IEnumerable<string> Names(IEnumerable<Widget> widgets) => widgets.Select(w => w.Metadata.Name);

    private static IEnumerable<string> Scan(Dictionary<ResourceKey, Widget> model, Func<Widget, bool> matches) =>
        Names(model.Values.Where(matches)).Order(StringComparer.Ordinal);

    private static Widget At(string name, int version, string colour, int size) =>
        new()
        {
            Metadata = new V1ObjectMeta
            {
                Name = name,
                NamespaceProperty = "default",
                ResourceVersion = $"{version}",
            },
            Spec = new WidgetSpec { Colour = colour, Size = size },
        };
}
