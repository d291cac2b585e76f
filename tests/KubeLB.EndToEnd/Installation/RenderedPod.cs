using System.Globalization;
using System.Net;
using System.Text;
using k8s;
using k8s.Models;
using KubeLB.Tests.Shared;

namespace KubeLB.EndToEnd.Installation;

/// <summary>
/// Starts a container exactly as its pod template in the cluster says, as a kubelet does: arguments, variables, Secrets, the token of its
/// ServiceAccount, user, limits and probes. It has a network of its own, in which it listens on its configured ports.
/// </summary>
internal sealed class RenderedPod : IAsyncDisposable
{
    private const string AccountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("kubelb-pod-");
    private readonly PodNetwork _network;
    private readonly ResourceLimits _limits;
    private ImageProcess _process = null!;

    private RenderedPod(PodNetwork network, V1Container container)
    {
        _network = network;
        Container = container;
        _limits = ResourceLimits.Create(Millicores(container.Resources.Limits["cpu"]), container.Resources.Limits["memory"].ToInt64());
    }

    /// <summary>The container of the template.</summary>
    public V1Container Container { get; }

    /// <summary>The process.</summary>
    public ImageProcess Process => _process;

    /// <summary>Starts the only container of a pod.</summary>
    /// <param name="client">An administrator of the cluster.</param>
    /// <param name="authority">The certificate authority of its API server, in PEM.</param>
    /// <param name="namespace">The pod's namespace.</param>
    /// <param name="spec">The pod.</param>
    /// <param name="image">What its image holds.</param>
    /// <param name="reachable">Ports of this machine's loopback interface that it reaches; the first is the API server's.</param>
    public static async Task<RenderedPod> StartAsync(
        IKubernetes client,
        string authority,
        string @namespace,
        V1PodSpec spec,
        ImageContent image,
        params int[] reachable
    )
    {
        var container = spec.Containers.Should().ContainSingle().Which;
        var pod = new RenderedPod(await PodNetwork.CreateAsync(), container);
        foreach (var port in reachable)
        {
            pod._network.Reach(port);
        }

        container.SecurityContext.RunAsUser.Should().Be(image.User, "the container of this test runs as the image's user");
        (container.SecurityContext is { ReadOnlyRootFilesystem: true, AllowPrivilegeEscalation: false })
            .Should()
            .BeTrue("so does the container of this test");
        var mounts = new Dictionary<string, string>
        {
            [AccountPath] = await pod.AccountAsync(client, authority, @namespace, spec.ServiceAccountName),
        };
        foreach (var mount in container.VolumeMounts ?? [])
        {
            var secret = spec.Volumes.Single(v => v.Name == mount.Name).Secret.SecretName;
            mounts[mount.MountPath] = pod.Folder(mount.Name, (await client.CoreV1.ReadNamespacedSecretAsync(secret, @namespace)).Data);
        }

        var variables = container.Env.ToDictionary(
            e => e.Name,
            e => e.ValueFrom?.FieldRef?.FieldPath == "metadata.namespace" ? @namespace : e.Value
        );
        variables["KUBERNETES_SERVICE_HOST"] = IPAddress.Loopback.ToString();
        variables["KUBERNETES_SERVICE_PORT"] = reachable[0].ToString(CultureInfo.InvariantCulture);
        pod._process = ImageProcess.Start(
            image,
            new ContainerSettings
            {
                Mounts = mounts,
                Variables = variables,
                NetworkNamespace = pod._network.Name,
            },
            pod._limits,
            [.. container.Args]
        );
        return pod;
    }

    /// <summary>Waits until a probe of the template succeeds.</summary>
    public async Task WaitAsync(V1Probe probe)
    {
        var address = new Uri($"http://{Publish(probe.HttpGet.Port.Value)}{probe.HttpGet.Path}");
        using var http = new HttpClient();
        await Eventually.GetAsync(
            $"{probe.HttpGet.Path} succeeds",
            async () =>
            {
                Process.ExitCode.Should().BeNull("{0}{1}", Process.Error, Process.Output);
                try
                {
                    using var response = await http.GetAsync(address);
                    return (Succeeded: response.IsSuccessStatusCode, Answer: await response.Content.ReadAsStringAsync());
                }
                catch (HttpRequestException e)
                {
                    return (Succeeded: false, Answer: e.Message);
                }
            },
            answer => answer.Succeeded,
            answer => $"{answer.Answer}\n{Process.Error}{Process.Output}",
            Timeout
        );
    }

    /// <summary>Makes a port of the container, by its name, reachable from this machine.</summary>
    public IPEndPoint Publish(string port) => _network.Publish(Container.Ports.Single(p => p.Name == port).ContainerPort);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        await _network.DisposeAsync();
        _limits.Dispose();
        _folder.Delete(recursive: true);
    }

    private static int Millicores(ResourceQuantity cpu) => (int)(cpu.ToDecimal() * 1000);

    private async Task<string> AccountAsync(IKubernetes client, string authority, string @namespace, string account)
    {
        var token = await client.CoreV1.CreateNamespacedServiceAccountTokenAsync(
            new Authenticationv1TokenRequest
            {
                Spec = new V1TokenRequestSpec { Audiences = [], ExpirationSeconds = 3600 },
            },
            account,
            @namespace
        );
        return Folder(
            "account",
            new Dictionary<string, byte[]>
            {
                ["token"] = Encoding.UTF8.GetBytes(token.Status.Token),
                ["ca.crt"] = Encoding.UTF8.GetBytes(authority),
                ["namespace"] = Encoding.UTF8.GetBytes(@namespace),
            }
        );
    }

    // Like a Secret volume, readable by all users of the container.
    private string Folder(string name, IEnumerable<KeyValuePair<string, byte[]>> files)
    {
        const UnixFileMode Read = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        var folder = _folder.CreateSubdirectory(name).FullName;
        foreach (var (file, content) in files)
        {
            File.WriteAllBytes(Path.Combine(folder, file), content);
            SetMode(Path.Combine(folder, file), Read);
        }

        SetMode(folder, Read | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        return folder;
    }

    private static void SetMode(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, mode);
        }
    }
}
