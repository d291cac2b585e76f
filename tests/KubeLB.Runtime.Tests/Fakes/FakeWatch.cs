using System.IO.Pipelines;
using System.Text;
using System.Text.Json.Nodes;

namespace KubeLB.Runtime.Tests.Fakes;

/// <summary>An open watch: a stream of lines that a test can end or break.</summary>
internal sealed class FakeWatch(string? ns)
{
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 0));

    public bool IsOpen { get; private set; } = true;

    public Stream Stream => _pipe.Reader.AsStream();

    public void Send(string type, JsonObject obj)
    {
        if (!string.IsNullOrEmpty(ns) && type != "BOOKMARK" && obj["metadata"]?["namespace"]?.GetValue<string>() != ns)
        {
            return;
        }

        SendRaw(new JsonObject { ["type"] = type, ["object"] = obj.DeepClone() }.ToJsonString() + "\n");
    }

    public void SendRaw(string text)
    {
        if (IsOpen)
        {
            System.Buffers.BuffersExtensions.Write(_pipe.Writer, Encoding.UTF8.GetBytes(text));
            _ = _pipe.Writer.FlushAsync().AsTask();
        }
    }

    public void End(bool abruptly)
    {
        if (IsOpen)
        {
            IsOpen = false;
            _pipe.Writer.Complete(abruptly ? new IOException("connection reset by peer") : null);
        }
    }
}
