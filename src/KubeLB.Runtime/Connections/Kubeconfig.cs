using k8s;
using k8s.Exceptions;
using k8s.KubeConfigModels;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace KubeLB.Runtime.Connections;

/// <summary>Connections to API servers from kubeconfig files.</summary>
/// <remarks>https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/</remarks>
public static class Kubeconfig
{
    /// <summary>The environment variable with kubectl's kubeconfig files.</summary>
    public const string EnvironmentVariable = "KUBECONFIG";

    /// <summary>
    /// Creates a connection from a kubeconfig file, without sending a request. A bearer token that is replaced in the file (or in its
    /// <c>tokenFile</c>) is used within a second. A <see cref="Clusters.Cluster"/> also reloads server, certificate authority and client
    /// certificate, within about ten seconds.
    /// </summary>
    /// <param name="path">
    /// The file; empty for the pod's service account, or outside a cluster for <c>KUBECONFIG</c> or <c>~/.kube/config</c>.
    /// </param>
    /// <param name="userAgent">The user agent of requests, which API server logs show.</param>
    /// <param name="handlers">Handlers that see each request, the outermost first.</param>
    /// <exception cref="KubeconfigException">The file is missing, not readable, or not a kubeconfig.</exception>
    public static IKubernetes Connect(string? path, string userAgent, params DelegatingHandler[] handlers)
    {
        var configuration = Configuration(path, userAgent);
        return string.IsNullOrEmpty(path)
            ? new Kubernetes(configuration, handlers)
            : ReloadingConnection.Create(new KubeconfigFile(path), userAgent, configuration, handlers);
    }

    /// <summary>The client configuration that <see cref="Connect"/> uses.</summary>
    /// <inheritdoc cref="Connect"/>
    public static KubernetesClientConfiguration Configuration(string? path, string userAgent) =>
        Configuration(path, userAgent, context: null);

    /// <param name="path">The file; empty for that of kubectl.</param>
    /// <param name="userAgent">The user agent of requests.</param>
    /// <param name="context">The context; null for the current one. The token of another context is not reloaded.</param>
    /// <inheritdoc cref="Configuration(string?, string)"/>
    public static KubernetesClientConfiguration Configuration(string? path, string userAgent, string? context)
    {
        var configuration = context is null ? Read(path) : ReadContext(path, context);
        return Prepare(configuration, userAgent);
    }

    /// <summary>Sets what all connections have: the user agent, and that redirects are not followed.</summary>
    internal static KubernetesClientConfiguration Prepare(KubernetesClientConfiguration configuration, string userAgent)
    {
        configuration.UserAgent = userAgent;

        // An API server redirects no client, but a pod behind pods/proxy may.
        configuration.FirstMessageHandlerSetup = handler => handler.AllowAutoRedirect = false;
        return configuration;
    }

    private static KubernetesClientConfiguration Read(string? path)
    {
        try
        {
            if (!string.IsNullOrEmpty(path))
            {
                return Read(new KubeconfigFile(path));
            }

            return KubernetesClientConfiguration.IsInCluster()
                ? KubernetesClientConfiguration.InClusterConfig()
                : KubernetesClientConfiguration.BuildConfigFromConfigObject(Default());
        }
        catch (Exception e) when (IsInvalid(e))
        {
            throw Invalid(path, e);
        }
    }

    // KubernetesClient itself reads only ~/.kube/config. Files are not merged: a context is expected in the file of its cluster and user.
    private static K8SConfiguration Default(string? context = null)
    {
        var files = (Environment.GetEnvironmentVariable(EnvironmentVariable) ?? "").Split(
            Path.PathSeparator,
            StringSplitOptions.RemoveEmptyEntries
        );
        if (files.Length == 0)
        {
            return KubernetesClientConfiguration.LoadKubeConfig();
        }

        var contents = files.Select(f => KubernetesClientConfiguration.LoadKubeConfig(new FileInfo(f))).ToList();
        return contents.Find(c => context is null ? c.CurrentContext is { Length: > 0 } : c.Contexts?.Any(x => x.Name == context) == true)
            ?? contents[0];
    }

    private static KubernetesClientConfiguration ReadContext(string? path, string context)
    {
        try
        {
            var content = string.IsNullOrEmpty(path) ? Default(context) : KubernetesClientConfiguration.LoadKubeConfig(new FileInfo(path));
            return KubernetesClientConfiguration.BuildConfigFromConfigObject(content, context);
        }
        catch (Exception e) when (IsInvalid(e))
        {
            throw Invalid(path, e);
        }
    }

    /// <summary>The configuration in a file, with a token that is reloaded.</summary>
    internal static KubernetesClientConfiguration Read(KubeconfigFile file)
    {
        var configuration = file.Read();
        if (configuration is { TokenProvider: null, AccessToken.Length: > 0 })
        {
            configuration.TokenProvider = new RotatingToken(file, configuration.Host, configuration.AccessToken, TimeProvider.System);
            configuration.AccessToken = null;
        }

        return configuration;
    }

    internal static KubeconfigException Invalid(string? path, Exception e)
    {
        var what = string.IsNullOrEmpty(path)
            ? "Failed to connect without a kubeconfig file (set KUBECONFIG or the flag for it)"
            : $"Cannot use kubeconfig {path}";
        var why = e is NullReferenceException ? "it is empty or not a kubeconfig" : e.Message.ReplaceLineEndings(" ").TrimEnd('.');
        return new KubeconfigException($"{what}: {why}.", e);
    }

    /// <summary>Whether KubernetesClient throws this exception for an invalid kubeconfig.</summary>
    internal static bool IsInvalid(Exception e) =>
        e
            is KubeConfigException
                or YamlException
                or IOException
                or UnauthorizedAccessException
                or FormatException
                or ArgumentException
                or System.Security.Cryptography.CryptographicException
                or NullReferenceException;
}

/// <summary>A kubeconfig is invalid; the message is one sentence.</summary>
public sealed class KubeconfigException(string message, Exception inner) : Exception(message, inner);

/// <summary>A kubeconfig file. It is read again when it changes, because mounted Secrets and tokens are rotated.</summary>
internal sealed class KubeconfigFile(string path)
{
    /// <summary>The path of the file.</summary>
    public string Path => path;

    /// <summary>Reads the current content.</summary>
    public KubernetesClientConfiguration Read()
    {
        if (TokenFile() is not { } found)
        {
            return KubernetesClientConfiguration.BuildConfigFromConfigFile(new FileInfo(path));
        }

        // KubernetesClient does not support tokenFile, a token in a separate file.
        var content = KubernetesClientConfiguration.LoadKubeConfig(new FileInfo(path));
        var credentials = content.Users.First(user => user.Name == found.User).UserCredentials;
        if (string.IsNullOrEmpty(credentials.Token))
        {
            credentials.Token = File.ReadAllText(found.Path).Trim();
        }

        return KubernetesClientConfiguration.BuildConfigFromConfigObject(content);
    }

    /// <summary>The text of the kubeconfig and the token file; it changes when a credential is rotated.</summary>
    public string Fingerprint() => File.ReadAllText(path) + (TokenFile() is { } found ? File.ReadAllText(found.Path) : "");

    /// <summary>The <c>tokenFile</c> of the current user; null if it is not set.</summary>
    private (string User, string Path)? TokenFile()
    {
        var stream = new YamlStream();
        using (var reader = File.OpenText(path))
        {
            stream.Load(reader);
        }

        if (
            stream.Documents.FirstOrDefault()?.RootNode is not YamlMappingNode root
            || Named(root, "contexts", Text(root, "current-context"), "context") is not { } context
            || Named(root, "users", Text(context, "user"), "user") is not { } user
            || Text(user, "tokenFile") is not { Length: > 0 } file
        )
        {
            return null;
        }

        return (Text(context, "user")!, System.IO.Path.Combine(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!, file));
    }

    private static YamlMappingNode? Named(YamlMappingNode root, string list, string? name, string content) =>
        Child(root, list) is YamlSequenceNode entries
        && entries.OfType<YamlMappingNode>().FirstOrDefault(e => Text(e, "name") == name) is { } entry
            ? Child(entry, content) as YamlMappingNode
            : null;

    private static string? Text(YamlMappingNode node, string key) => (Child(node, key) as YamlScalarNode)?.Value;

    private static YamlNode? Child(YamlMappingNode node, string key) =>
        node.Children.TryGetValue(new YamlScalarNode(key), out var child) ? child : null;
}
