using System.Text.Json.Nodes;

namespace KubeLB.EmbeddedCluster.Security;

/// <summary>The default roles and bindings.</summary>
internal static class BootstrapPolicy
{
    private const string ApiVersion = "rbac.authorization.k8s.io/v1";

    private static readonly string[] ReadVerbs = ["get", "list", "watch"];
    private static readonly string[] WriteVerbs = ["create", "delete", "deletecollection", "patch", "update"];
    private static readonly string[] CoreObjects =
    [
        "configmaps",
        "endpoints",
        "events",
        "persistentvolumeclaims",
        "pods",
        "serviceaccounts",
        "services",
    ];
    private static readonly string[] AppObjects =
    [
        "controllerrevisions",
        "daemonsets",
        "deployments",
        "deployments/scale",
        "replicasets",
        "replicasets/scale",
        "statefulsets",
        "statefulsets/scale",
    ];

    public static IEnumerable<JsonObject> ClusterRoles() =>
        [
            Role("cluster-admin", Rule(["*"], ["*"], ["*"]), Paths("*", "*")),
            Role(
                "system:basic-user",
                Rule(["authorization.k8s.io"], ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], ["create"]),
                Rule(["authentication.k8s.io"], ["selfsubjectreviews"], ["create"])
            ),
            Role(
                "system:discovery",
                Paths(
                    "get",
                    "/api",
                    "/api/*",
                    "/apis",
                    "/apis/*",
                    "/healthz",
                    "/livez",
                    "/openapi",
                    "/openapi/*",
                    "/readyz",
                    "/version",
                    "/version/"
                )
            ),
            Role("system:public-info-viewer", Paths("get", "/healthz", "/livez", "/readyz", "/version", "/version/")),
            Role("view", [.. View()]),
            Role("edit", [.. View(), .. Edit()]),
            Role(
                "admin",
                [
                    .. View(),
                    .. Edit(),
                    Rule(["rbac.authorization.k8s.io"], ["rolebindings", "roles"], [.. ReadVerbs, .. WriteVerbs]),
                    Rule(["authorization.k8s.io"], ["localsubjectaccessreviews"], ["create"]),
                ]
            ),
        ];

    public static IEnumerable<JsonObject> ClusterRoleBindings() =>
        [
            Binding("cluster-admin", "cluster-admin", UserInfo.MastersGroup),
            Binding("system:basic-user", "system:basic-user", UserInfo.AllAuthenticated),
            Binding("system:discovery", "system:discovery", UserInfo.AllAuthenticated),
            Binding("system:public-info-viewer", "system:public-info-viewer", UserInfo.AllAuthenticated, UserInfo.AllUnauthenticated),
        ];

    private static IEnumerable<JsonObject> View() =>
        [
            Rule([""], [.. CoreObjects, "namespaces"], ReadVerbs),
            Rule(["apps"], AppObjects, ReadVerbs),
            Rule(["batch"], ["jobs"], ReadVerbs),
            Rule(["discovery.k8s.io"], ["endpointslices"], ReadVerbs),
            Rule(["networking.k8s.io"], ["ingresses", "networkpolicies"], ReadVerbs),
            Rule(["policy"], ["poddisruptionbudgets"], ReadVerbs),
        ];

    private static IEnumerable<JsonObject> Edit() =>
        [
            Rule([""], ["secrets"], [.. ReadVerbs, .. WriteVerbs]),
            Rule([""], CoreObjects, WriteVerbs),
            Rule([""], ["serviceaccounts/token"], ["create"]),
            Rule(["apps"], AppObjects, WriteVerbs),
            Rule(["batch"], ["jobs"], WriteVerbs),
            Rule(["coordination.k8s.io"], ["leases"], [.. ReadVerbs, .. WriteVerbs]),
            Rule(["networking.k8s.io"], ["ingresses", "networkpolicies"], WriteVerbs),
            Rule(["policy"], ["poddisruptionbudgets"], WriteVerbs),
        ];

    private static JsonObject Role(string name, params JsonObject[] rules) =>
        new()
        {
            ["kind"] = "ClusterRole",
            ["apiVersion"] = ApiVersion,
            ["metadata"] = Metadata(name),
            ["rules"] = new JsonArray([.. rules.Select(rule => (JsonNode)rule)]),
        };

    private static JsonObject Binding(string name, string role, params string[] groups) =>
        new()
        {
            ["kind"] = "ClusterRoleBinding",
            ["apiVersion"] = ApiVersion,
            ["metadata"] = Metadata(name),
            ["subjects"] = new JsonArray([
                .. groups.Select(group =>
                    (JsonNode)
                        new JsonObject
                        {
                            ["kind"] = "Group",
                            ["apiGroup"] = "rbac.authorization.k8s.io",
                            ["name"] = group,
                        }
                ),
            ]),
            ["roleRef"] = new JsonObject
            {
                ["apiGroup"] = "rbac.authorization.k8s.io",
                ["kind"] = "ClusterRole",
                ["name"] = role,
            },
        };

    private static JsonObject Metadata(string name) =>
        new()
        {
            ["name"] = name,
            ["labels"] = new JsonObject { ["kubernetes.io/bootstrapping"] = "rbac-defaults" },
            ["annotations"] = new JsonObject { ["rbac.authorization.kubernetes.io/autoupdate"] = "true" },
        };

    private static JsonObject Rule(string[] groups, string[] resources, string[] verbs) =>
        new()
        {
            ["verbs"] = Strings(verbs),
            ["apiGroups"] = Strings(groups),
            ["resources"] = Strings(resources),
        };

    private static JsonObject Paths(string verb, params string[] paths) =>
        new() { ["verbs"] = Strings([verb]), ["nonResourceURLs"] = Strings(paths) };

    private static JsonArray Strings(string[] values) => [.. values.Select(value => JsonValue.Create(value))];
}
