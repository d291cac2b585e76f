using System.Net;
using k8s.Autorest;
using KubeLB.Ccm.Hosting;
using KubeLB.Ccm.NodePorts;
using KubeLB.EndToEnd.Support;
using KubeLB.Runtime.Storing;

namespace KubeLB.Ccm.Tests.NodePorts;

public sealed class NodePortServiceErrorsTests
{
    private static readonly ResourceKey Service = new("shop", "web");

    private readonly ForwardedClock _clock = new();
    private readonly List<ResourceKey> _changed = [];
    private readonly NodePortServiceErrors _errors;

    public NodePortServiceErrorsTests()
    {
        _errors = new NodePortServiceErrors(_clock);
        _errors.Changed += _changed.Add;
    }

    [Theory]
    [InlineData(HttpStatusCode.BadRequest)]
    [InlineData(HttpStatusCode.Forbidden)]
    [InlineData(HttpStatusCode.RequestEntityTooLarge)]
    [InlineData(HttpStatusCode.UnprocessableEntity)]
    public void Rejection_is_reported_at_once_and_once(HttpStatusCode status)
    {
        _errors.Record(Service, Response(status));
        _errors.Record(Service, Response(status));

        _errors.Of(Service).Should().Be("exceeded quota");
        _changed.Should().Equal(Service);

        _errors.Clear(Service);
        _errors.Of(Service).Should().BeNull();
        _changed.Should().Equal(Service, Service);
    }

    [Theory]
    [InlineData(HttpStatusCode.TooManyRequests)]
    [InlineData(HttpStatusCode.InternalServerError)]
    [InlineData(HttpStatusCode.ServiceUnavailable)]
    public void Error_that_may_be_temporary_is_reported_after_some_time(HttpStatusCode status)
    {
        _errors.Record(Service, Response(status));
        _errors.Of(Service).Should().BeNull();
        _errors.Clear(Service);
        _errors.Record(Service, Response(status));
        _clock.Forward(Delays.NodePortServiceError);
        _errors.Of(Service).Should().BeNull("it was not tried again");

        _errors.Record(Service, Response(status));

        _errors.Of(Service).Should().Be("exceeded quota");
        _changed.Should().Equal(Service);
    }

    [Theory]
    [InlineData(HttpStatusCode.Conflict)]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.Unauthorized)]
    public void Error_that_does_not_concern_the_Service_is_not_reported(HttpStatusCode status)
    {
        _errors.Record(Service, Response(status));
        _clock.Forward(TimeSpan.FromHours(1));
        _errors.Record(Service, Response(status));

        _errors.Of(Service).Should().BeNull();
        _changed.Should().BeEmpty();
    }

    private static HttpOperationException Response(HttpStatusCode status) =>
        new("failed")
        {
            Response = new HttpResponseMessageWrapper(new HttpResponseMessage(status), """{"kind":"Status","message":"exceeded quota"}"""),
        };
}
