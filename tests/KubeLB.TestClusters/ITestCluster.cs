using KubeLB.EmbeddedCluster;
using KubeLB.Sandbox.Composition;

namespace KubeLB.TestClusters;

/// <summary>
/// The API server of a test, of any kind. It is empty when the test starts: no object of an earlier test is in
/// it.
/// </summary>
public interface ITestCluster : ISandboxCluster
{
    /// <summary>Optional features of this server.</summary>
    ClusterFeatures Features { get; }

    /// <summary>A bearer token of the administrator.</summary>
    string AdminToken { get; }

    /// <summary>A handler that trusts the server's certificate and sends no credentials. The caller disposes it.</summary>
    HttpMessageHandler CreateHandler();

    /// <summary>
    /// The requests so far, oldest first: all that the server received if it is embedded, otherwise those that clients of
    /// <see cref="ISandboxCluster.CreateClient(string)"/> sent.
    /// </summary>
    IReadOnlyList<RequestRecord> Requests();

    /// <summary>Forgets the requests so far.</summary>
    void ForgetRequests();
}
