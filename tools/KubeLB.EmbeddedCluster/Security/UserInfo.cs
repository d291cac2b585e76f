namespace KubeLB.EmbeddedCluster.Security;

/// <summary>An authenticated user.</summary>
/// <param name="Name">User name, e.g. <c>system:serviceaccount:ns:name</c>.</param>
/// <param name="Groups">Groups of the user.</param>
/// <param name="Uid">Uid of the user, if any.</param>
internal sealed record UserInfo(string Name, IReadOnlyList<string> Groups, string Uid = "")
{
    public const string Masters = "system:masters";
    public const string AllAuthenticated = "system:authenticated";
    public const string AllUnauthenticated = "system:unauthenticated";

    public static UserInfo Anonymous { get; } = new("system:anonymous", [AllUnauthenticated]);

    public static UserInfo Admin { get; } = new("kubernetes-admin", [Masters, AllAuthenticated]);

    public bool IsMaster => Groups.Contains(Masters);
}
