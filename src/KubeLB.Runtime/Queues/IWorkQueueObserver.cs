namespace KubeLB.Runtime.Queues;

/// <summary>Is told what a queue does, for metrics. Called while the queue is locked: must be quick.</summary>
internal interface IWorkQueueObserver
{
    void Added();

    void Retried();

    void DepthChanged(int depth);
}
