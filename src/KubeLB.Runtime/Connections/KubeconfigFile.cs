using k8s;
using YamlDotNet.RepresentationModel;

namespace KubeLB.Runtime.Connections;

/// <summary>A kubeconfig file, read as often as it changes: Secrets that are mounted, and their tokens, are rotated.</summary>
internal sealed class KubeconfigFile(string path)
{
    /// <summary>Where the file is.</summary>
    public string Path => path;

    /// <summary>What the file says now.</summary>
    public KubernetesClientConfiguration Read()
    {
        if (TokenFile() is not { } found)
        {
            return KubernetesClientConfiguration.BuildConfigFromConfigFile(new FileInfo(path));
        }

        // KubernetesClient does not know tokenFile, which kubectl does: a token that is kept in a file beside the kubeconfig.
        var content = KubernetesClientConfiguration.LoadKubeConfig(new FileInfo(path));
        var credentials = content.Users.First(user => user.Name == found.User).UserCredentials;
        if (string.IsNullOrEmpty(credentials.Token))
        {
            credentials.Token = File.ReadAllText(found.Path).Trim();
        }

        return KubernetesClientConfiguration.BuildConfigFromConfigObject(content);
    }

    /// <summary>The bytes that the credentials come from: equal as long as nothing was rotated.</summary>
    public string Fingerprint() => File.ReadAllText(path) + (TokenFile() is { } found ? File.ReadAllText(found.Path) : "");

    /// <summary>The file that the current user's token is kept in, if it is.</summary>
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
