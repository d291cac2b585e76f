using CsCheck;
using KubeLB.Runtime.Queues;

namespace KubeLB.Runtime.Tests.Queues;

public sealed class WorkQueueConcurrencyTests
{
    /// <summary>
    /// Producers raise a version per key and add the key; workers note the version they see. Whatever the interleaving: no key is ever with
    /// two workers, and the last version of every key is processed after it was written.
    /// </summary>
    [Fact]
    public async Task Key_is_never_processed_concurrently_and_no_change_is_lost()
    {
        await Gen.Select(Gen.Int[1, 6], Gen.Int[1, 5], Gen.Int[1, 4], Gen.Int[0, 7].Array[20, 300])
            .SampleAsync(
                async (workers, producers, keys, script) =>
                {
                    using var queue = new WorkQueue<int>();
                    var written = new long[keys];
                    var seen = new long[keys];
                    var holders = new int[keys];
                    var clashes = 0;

                    var working = Enumerable
                        .Range(0, workers)
                        .Select(_ =>
                            Task.Run(async () =>
                            {
                                while (await queue.TakeAsync(default) is (true, var key))
                                {
                                    if (Interlocked.Increment(ref holders[key]) != 1)
                                    {
                                        Interlocked.Increment(ref clashes);
                                    }

                                    Volatile.Write(ref seen[key], Volatile.Read(ref written[key]));
                                    for (var step = 0; step < 3; step++)
                                    {
                                        await Task.Yield();
                                    }

                                    Interlocked.Decrement(ref holders[key]);
                                    queue.Done(key);
                                }
                            })
                        )
                        .ToArray();

                    await Task.WhenAll(
                        Enumerable
                            .Range(0, producers)
                            .Select(p =>
                                Task.Run(async () =>
                                {
                                    for (var i = p; i < script.Length; i += producers)
                                    {
                                        var key = script[i] % keys;
                                        Interlocked.Increment(ref written[key]);
                                        queue.Add(key);

                                        // Leaves the floor to the workers, so that keys are added while they are worked on.
                                        await Task.Yield();
                                    }
                                })
                            )
                    );
                    while (!written.SequenceEqual(seen.Select((_, k) => Volatile.Read(ref seen[k]))))
                    {
                        await Task.Yield();
                    }

                    queue.ShutDown();
                    await Task.WhenAll(working);
                    clashes.Should().Be(0);
                },
                iter: 500
            );
    }
}
