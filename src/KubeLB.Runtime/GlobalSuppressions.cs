using System.Diagnostics.CodeAnalysis;

[assembly: SuppressMessage(
    "Naming",
    "CA1711",
    Scope = "type",
    Target = "~T:KubeLB.Runtime.Queues.WorkQueue`1",
    Justification = "It is a queue, and the name under which controllers know it."
)]
