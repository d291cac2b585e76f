using System.Net;
using System.Security.Cryptography;
using KubeLB.TestClusters.External;

namespace KubeLB.TestClusters.Envtest;

/// <summary>
/// Real control planes from the binaries of <see cref="EnvtestAssets"/>: one etcd for the test run, and a kube-apiserver (and
/// kube-controller-manager) of its own per cluster, all on free loopback ports. Nodes, pods and endpoints are left to the sandbox's
/// simulation.
/// </summary>
internal sealed class EnvtestServers
{
    private const string Loopback = "127.0.0.1";
    private const string AdminUser = "kubernetes-admin";

    // The controllers that the embedded cluster simulates.
    private const string Controllers =
        "garbage-collector-controller,namespace-controller,serviceaccount-controller,serviceaccount-token-controller,"
        + "legacy-serviceaccount-token-cleaner-controller,"
        + "clusterrole-aggregation-controller,root-ca-certificate-publisher-controller";

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("kubelb-envtest-");
    private EnvtestAssets? _assets;
    private string? _etcd;
    private int _count;

    public EnvtestServers() => AppDomain.CurrentDomain.ProcessExit += (_, _) => RemoveFolder();

    /// <summary>Starts a control plane.</summary>
    /// <exception cref="TestClusterUnavailableException">The binaries are missing, or do not start.</exception>
    public async Task<ServerAccess> StartAsync(string name, CancellationToken cancellationToken)
    {
        _assets ??= EnvtestAssets.Find(Environment.GetEnvironmentVariable(EnvtestAssets.Variable));
        _etcd ??= await StartEtcdAsync(_assets, cancellationToken).ConfigureAwait(false);

        var folder = _folder.CreateSubdirectory($"cluster-{++_count}");
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var key = WriteServiceAccountKey(folder.FullName);
        var tokens = Path.Combine(folder.FullName, "tokens.csv");
        await File.WriteAllTextAsync(tokens, $"{token},{AdminUser},{AdminUser},system:masters\n", cancellationToken).ConfigureAwait(false);

        var port = FreePort.Find();
        var server = ChildProcess.Start(_assets.ApiServer, ApiServerArguments(folder.FullName, port, tokens, key));
        var certificate = Path.Combine(folder.FullName, "apiserver.crt");
        await WaitAsync(
                server,
                "kube-apiserver",
                () => Task.FromResult(File.Exists(certificate) && new FileInfo(certificate).Length > 0),
                cancellationToken
            )
            .ConfigureAwait(false);
        var authority = await File.ReadAllTextAsync(certificate, cancellationToken).ConfigureAwait(false);
        var features = _assets.ControllerManager is null ? ClusterFeatures.None : ClusterFeatures.Controllers;
        var access = new ServerAccess(Kubeconfig(name, port, authority, token), authority, token, features);
        using var client = new ApiServerClient(access);
        await WaitAsync(
                server,
                "kube-apiserver",
                async () => await client.ProbeAsync("/readyz", cancellationToken).ConfigureAwait(false) == HttpStatusCode.OK,
                cancellationToken
            )
            .ConfigureAwait(false);
        await WaitAsync(
                server,
                "kube-apiserver",
                async () =>
                    await client.ProbeAsync("/api/v1/namespaces/default", cancellationToken).ConfigureAwait(false) == HttpStatusCode.OK,
                cancellationToken
            )
            .ConfigureAwait(false);
        if (_assets.ControllerManager is { } controllerManager)
        {
            await StartControllersAsync(controllerManager, folder.FullName, access, key, client, cancellationToken).ConfigureAwait(false);
        }

        return access;
    }

    private async Task<string> StartEtcdAsync(EnvtestAssets assets, CancellationToken cancellationToken)
    {
        var (clients, peers) = ($"http://{Loopback}:{FreePort.Find()}", $"http://{Loopback}:{FreePort.Find()}");
        var etcd = ChildProcess.Start(
            assets.Etcd,
            [
                "--data-dir",
                Path.Combine(_folder.FullName, "etcd"),
                "--listen-client-urls",
                clients,
                "--advertise-client-urls",
                clients,
                "--listen-peer-urls",
                peers,
                "--initial-advertise-peer-urls",
                peers,
                "--initial-cluster",
                $"default={peers}",
                "--unsafe-no-fsync",
                "--log-level",
                "error",
            ]
        );
        using var http = new HttpClient();
        await WaitAsync(etcd, "etcd", () => IsHealthyAsync(http, $"{clients}/health", cancellationToken), cancellationToken)
            .ConfigureAwait(false);
        return clients;
    }

    private static async Task<bool> IsHealthyAsync(HttpClient http, string url, CancellationToken cancellationToken)
    {
        try
        {
            return (await http.GetStringAsync(new Uri(url), cancellationToken).ConfigureAwait(false)).Contains(
                "\"true\"",
                StringComparison.Ordinal
            );
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private IEnumerable<string> ApiServerArguments(string folder, int port, string tokens, string key)
    {
        // Pods may not be created before the controllers have made their service account, and never without controllers.
        var disabled = _assets!.ControllerManager is null ? "ServiceAccount,StorageObjectInUseProtection" : "StorageObjectInUseProtection";
        return
        [
            $"--etcd-servers={_etcd}",
            $"--etcd-prefix=/cluster-{_count}",
            $"--bind-address={Loopback}",
            $"--advertise-address={Loopback}",
            $"--secure-port={port}",
            $"--cert-dir={folder}",
            $"--token-auth-file={tokens}",
            "--authorization-mode=RBAC",
            "--allow-privileged=true",
            "--service-account-issuer=https://kubernetes.default.svc",
            $"--service-account-key-file={key}",
            $"--service-account-signing-key-file={key}",
            "--service-cluster-ip-range=10.96.0.0/16",
            $"--disable-admission-plugins={disabled}",
            "--endpoint-reconciler-type=none",
        ];
    }

    private static async Task StartControllersAsync(
        string program,
        string folder,
        ServerAccess access,
        string key,
        ApiServerClient client,
        CancellationToken cancellationToken
    )
    {
        var kubeconfig = Path.Combine(folder, "kubeconfig");
        await File.WriteAllTextAsync(kubeconfig, access.KubeconfigYaml, cancellationToken).ConfigureAwait(false);
        var process = ChildProcess.Start(
            program,
            [
                $"--kubeconfig={kubeconfig}",
                $"--controllers={Controllers}",
                "--leader-elect=false",
                $"--bind-address={Loopback}",
                "--secure-port=0",
                $"--service-account-private-key-file={key}",
                $"--root-ca-file={Path.Combine(folder, "apiserver.crt")}",
                "--concurrent-gc-syncs=5",
            ]
        );
        const string Account = "/api/v1/namespaces/default/serviceaccounts/default";
        await WaitAsync(
                process,
                "kube-controller-manager",
                async () => await client.ProbeAsync(Account, cancellationToken).ConfigureAwait(false) == HttpStatusCode.OK,
                cancellationToken
            )
            .ConfigureAwait(false);
    }

    private static async Task WaitAsync(ChildProcess process, string name, Func<Task<bool>> condition, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Deadline);
        while (!await condition().ConfigureAwait(false))
        {
            if (!process.IsRunning || deadline.IsCancellationRequested)
            {
                throw new TestClusterUnavailableException(
                    $"{TestClusters.Variable}=envtest is not available: {name} "
                        + $"{(process.IsRunning ? $"is not ready after {Deadline.TotalSeconds:0} s" : "ended")}. "
                        + $"Last output:\n{process.Output}"
                );
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), cancellationToken).ConfigureAwait(false);
        }
    }

    private static string WriteServiceAccountKey(string folder)
    {
        using var key = RSA.Create(2048);
        var path = Path.Combine(folder, "service-account.key");
        File.WriteAllText(path, key.ExportPkcs8PrivateKeyPem());
        return path;
    }

    private static string Kubeconfig(string name, int port, string authority, string token) =>
        EmbeddedCluster.Hosting.Kubeconfig.Write(name, new Uri($"https://{Loopback}:{port}"), authority, AdminUser, token, null);

    private void RemoveFolder()
    {
        try
        {
            _folder.Delete(recursive: true);
        }
        catch (IOException)
        {
            // etcd is still writing; the system empties its temporary folder.
        }
    }
}
