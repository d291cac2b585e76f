using CsCheck;
using KubeLB.Runtime.Queues;

namespace KubeLB.Runtime.Tests.Queues;

/// <summary>Keys of different groups take turns.</summary>
public sealed class FairnessTests
{
    [Theory]
    [InlineData(10)]
    [InlineData(10_000)]
    public async Task Key_of_another_group_waits_for_one_key_at_most(int waiting)
    {
        using var queue = Create();
        for (var i = 0; i < waiting; i++)
        {
            queue.Add($"a/{i}");
        }

        queue.Add("b/0");

        var order = new List<string> { await TakeAsync(queue), await TakeAsync(queue), await TakeAsync(queue) };
        order.Should().Equal("a/0", "b/0", "a/1");
        queue.Depth.Should().Be(waiting - 2);
    }

    [Fact]
    public async Task Busy_group_gets_at_most_every_second_dequeue()
    {
        using var queue = Create();
        queue.Add("a/0");
        for (var i = 0; i < 20; i++)
        {
            queue.Add($"b/{i}");
        }

        var taken = new List<string>();
        for (var i = 1; taken.Count(k => k[0] == 'b') < 20; i++)
        {
            queue.Add($"a/{i}");
            queue.Add($"a/{i}-more");
            taken.Add(await TakeAsync(queue));
        }

        taken.Should().HaveCountLessThanOrEqualTo(40);
    }

    [Fact]
    public async Task Requeued_key_is_appended_to_its_group()
    {
        using var queue = Create();
        queue.Add("a/0");
        queue.Add("a/1");
        var first = await TakeAsync(queue);
        queue.Add(first);
        queue.Add("b/0");
        queue.Done(first);

        new[] { await TakeAsync(queue), await TakeAsync(queue), await TakeAsync(queue) }.Should().Equal("a/1", "b/0", "a/0");
    }

    [Fact]
    public async Task Groups_are_dequeued_round_robin() =>
        await Gen.Int[0, 4]
            .Array[1, 200]
            .SampleAsync(
                async groups =>
                {
                    using var queue = Create();
                    for (var i = 0; i < groups.Length; i++)
                    {
                        queue.Add($"{groups[i]}/{i}");
                    }

                    var taken = new List<string>();
                    while (queue.Depth > 0)
                    {
                        taken.Add(await TakeAsync(queue));
                    }

                    taken.Should().HaveCount(groups.Length).And.OnlyHaveUniqueItems();
                    foreach (var group in groups.Distinct())
                    {
                        taken
                            .Where(k => k[0] - '0' == group)
                            .Select(k => int.Parse(k[2..]))
                            .Should()
                            .BeInAscendingOrder("first come, first served within a group");
                        var turns = taken.Select((key, at) => (key, at)).Where(t => t.key[0] - '0' == group).Select(t => t.at).ToList();
                        foreach (var (turn, next) in turns.Zip(turns.Skip(1)))
                        {
                            taken[(turn + 1)..next].Select(k => k[0]).Should().OnlyHaveUniqueItems();
                        }
                    }
                },
                iter: 200
            );

    private static WorkQueue<string> Create() => new(null, null, null, null, key => key.Split('/')[0]);

    private static async Task<string> TakeAsync(WorkQueue<string> queue)
    {
        var (taken, key) = await queue.TakeAsync(default);
        taken.Should().BeTrue();
        return key;
    }
}
