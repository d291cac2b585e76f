using CsCheck;
using KubeLB.Runtime.Queues;

namespace KubeLB.Runtime.Tests.Queues;

/// <summary>Keys of different groups take turns.</summary>
public sealed class FairnessTests
{
    [Theory]
    [InlineData(10)]
    [InlineData(10_000)]
    [Trait("Threat", "many-routes")]
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
    [Trait("Threat", "many-routes")]
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

    [Fact]
    [Trait("Threat", "slow-routes")]
    public async Task Group_at_its_limit_leaves_a_worker_to_other_groups()
    {
        using var queue = Create(limit: 3);
        for (var i = 0; i < 5; i++)
        {
            queue.Add($"a/{i}");
        }

        var inProgress = new[] { await TakeAsync(queue), await TakeAsync(queue), await TakeAsync(queue) };
        inProgress.Should().Equal("a/0", "a/1", "a/2");
        var waiting = queue.TakeAsync(default).AsTask();
        waiting.IsCompleted.Should().BeFalse("the group is at its limit");
        queue.Depth.Should().Be(2);

        queue.Add("b/0");
        (await waiting.WaitAsync(Timeout)).Key.Should().Be("b/0");

        var next = queue.TakeAsync(default).AsTask();
        next.IsCompleted.Should().BeFalse();
        queue.Done("a/1");
        (await next.WaitAsync(Timeout)).Key.Should().Be("a/3");
        queue.Done("a/0");
        (await TakeAsync(queue)).Should().Be("a/4");
        queue.Depth.Should().Be(0);
    }

    [Fact]
    [Trait("Threat", "many-routes")]
    public async Task Group_with_the_fewest_keys_in_progress_is_dequeued_first()
    {
        using var queue = Create();
        queue.Add("a/0");
        queue.Add("a/1");
        (await TakeAsync(queue)).Should().Be("a/0");
        (await TakeAsync(queue)).Should().Be("a/1");
        queue.Add("b/0");
        (await TakeAsync(queue)).Should().Be("b/0");
        queue.Add("a/2");
        queue.Add("b/1");
        queue.Add("c/0");

        new[] { await TakeAsync(queue), await TakeAsync(queue), await TakeAsync(queue) }.Should().Equal("c/0", "b/1", "a/2");
    }

    [Fact]
    public async Task Key_requeued_while_its_group_is_at_its_limit_is_dequeued_when_one_ends()
    {
        using var queue = Create(limit: 1);
        queue.Add("a/0");
        await TakeAsync(queue);
        queue.Add("a/1");
        queue.Add("a/0");
        queue.Done("a/0");
        queue.Depth.Should().Be(2);

        (await TakeAsync(queue)).Should().Be("a/1");
        var waiting = queue.TakeAsync(default).AsTask();
        waiting.IsCompleted.Should().BeFalse();
        queue.Done("a/1");
        (await waiting.WaitAsync(Timeout)).Key.Should().Be("a/0");
    }

    [Fact]
    public async Task Keys_without_a_group_have_no_limit()
    {
        using var queue = new WorkQueue<string>(null, null, null, null, _ => "", 1);
        queue.Add("a");
        queue.Add("b");

        new[] { await TakeAsync(queue), await TakeAsync(queue) }.Should().Equal("a", "b");
    }

    /// <summary>
    /// Compared with a model that searches all keys. For any order of additions, dequeues and ends, a key that can be dequeued is dequeued,
    /// from one of the groups with the fewest keys in progress, and no group exceeds its limit.
    /// </summary>
    [Fact]
    public async Task Any_sequence_of_operations_dequeues_from_a_group_with_the_fewest_keys_in_progress() =>
        await Gen.Select(Gen.Int[1, 4], Gen.Select(Gen.Int[0, 2], Gen.Int[0, 3], Gen.Int[0, 9]).Array[1, 200])
            .SampleAsync(
                async (limit, script) =>
                {
                    using var queue = Create(limit);
                    var waiting = new HashSet<string>();
                    var again = new HashSet<string>();
                    var inProgress = new List<string>();
                    int InProgress(string key) => inProgress.Count(k => k[0] == key[0]);
                    foreach (var (operation, group, name) in script)
                    {
                        var able = waiting.Where(k => InProgress(k) < limit).ToList();
                        switch (operation)
                        {
                            case 0:
                                var key = $"{group}/{name}";
                                queue.Add(key);
                                (inProgress.Contains(key) ? again : waiting).Add(key);
                                break;
                            case 1 when able.Count > 0:
                                var taken = await TakeAsync(queue);
                                able.Should().Contain(taken);
                                InProgress(taken).Should().Be(able.Min(InProgress));
                                waiting.Remove(taken);
                                inProgress.Add(taken);
                                break;
                            case 2 when inProgress.Count > 0:
                                var done = inProgress[name % inProgress.Count];
                                inProgress.Remove(done);
                                queue.Done(done);
                                if (again.Remove(done))
                                {
                                    waiting.Add(done);
                                }

                                break;
                        }

                        queue.Depth.Should().Be(waiting.Count);
                    }

                    while (inProgress.Count + again.Count + waiting.Count > 0)
                    {
                        while (waiting.Any(k => InProgress(k) < limit))
                        {
                            var taken = await TakeAsync(queue);
                            waiting.Remove(taken).Should().BeTrue();
                            inProgress.Add(taken);
                        }

                        queue.Done(inProgress[0]);
                        if (again.Remove(inProgress[0]))
                        {
                            waiting.Add(inProgress[0]);
                        }

                        inProgress.RemoveAt(0);
                    }

                    queue.Depth.Should().Be(0);
                },
                iter: 500
            );

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    private static WorkQueue<string> Create(int limit = int.MaxValue) => new(null, null, null, null, key => key.Split('/')[0], limit);

    private static async Task<string> TakeAsync(WorkQueue<string> queue)
    {
        using var timeout = new CancellationTokenSource(Timeout);
        var (taken, key) = await queue.TakeAsync(timeout.Token);
        taken.Should().BeTrue();
        return key;
    }
}
