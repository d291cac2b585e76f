using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.EmbeddedCluster.CustomResources;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Tables;
using KubeLB.EmbeddedCluster.Typing;

namespace KubeLB.EmbeddedCluster.Resources;

/// <summary>The built-in resources.</summary>
internal static class BuiltInResources
{
    private static readonly string[] ReadUpdate = ["get", "patch", "update"];
    private static readonly string[] CreateOnly = ["create"];
    private static readonly string[] NoCollectionDelete = ["create", "delete", "get", "list", "patch", "update", "watch"];

    public static IEnumerable<ResourceDefinition> All(ServiceAddresses addresses, TimeProvider time, ResourceRegistry registry) =>
        [
            .. Core(addresses),
            .. Apps(),
            .. Policies(),
            .. Admission(),
            .. Rbac(),
            .. Reviews(),
            Of<Eventsv1Event>("events.k8s.io", "v1", "events", "event", "Event") with
            {
                ShortNames = ["ev"],
                Table = CoreTables.Events,
                StorageGroup = "",
                SelectableFields = EventFields(),
                View = ResourceView.Events,
            },
            Of<V1EndpointSlice>("discovery.k8s.io", "v1", "endpointslices", "endpointslice", "EndpointSlice", new EndpointsStrategy()) with
            {
                HasGeneration = true,
                Table = CoreTables.EndpointSlices,
            },
            Of<V1Lease>("coordination.k8s.io", "v1", "leases", "lease", "Lease") with
            {
                Table = CoreTables.Leases,
            },
            Of<V1CustomResourceDefinition>(
                "apiextensions.k8s.io",
                "v1",
                "customresourcedefinitions",
                "customresourcedefinition",
                "CustomResourceDefinition",
                new CustomResourceDefinitionStrategy(time, registry)
            ) with
            {
                Namespaced = false,
                ShortNames = ["crd", "crds"],
                Categories = ["api-extensions"],
                HasGeneration = true,
                Subresources = Status("CustomResourceDefinition"),
                Table = TableFormat.NameAndCreation,
            },
        ];

    private static IEnumerable<ResourceDefinition> Core(ServiceAddresses addresses) =>
        [
            Of<V1ConfigMap>("", "v1", "configmaps", "configmap", "ConfigMap", new ConfigMapStrategy()) with
            {
                ShortNames = ["cm"],
                Table = CoreTables.ConfigMaps,
            },
            Of<V1Endpoints>("", "v1", "endpoints", "endpoints", "Endpoints", new EndpointsStrategy()) with
            {
                ShortNames = ["ep"],
                Table = CoreTables.Endpoints,
            },
            Of<Corev1Event>("", "v1", "events", "event", "Event") with
            {
                ShortNames = ["ev"],
                Table = CoreTables.Events,
                SelectableFields = EventFields(),
            },
            Of<V1Namespace>("", "v1", "namespaces", "namespace", "Namespace", new NamespaceStrategy()) with
            {
                Namespaced = false,
                ShortNames = ["ns"],
                Verbs = NoCollectionDelete,
                Table = CoreTables.Namespaces,
                Subresources = [new("finalize", "Namespace", ["update"]), .. Status("Namespace")],
                SelectableFields = Fields(("status.phase", tree => tree.Object("status").Text("phase"))),
            },
            Of<V1Node>("", "v1", "nodes", "node", "Node") with
            {
                Namespaced = false,
                ShortNames = ["no"],
                Table = CoreTables.Nodes,
                Subresources = Status("Node"),
                SelectableFields = Fields(
                    ("spec.unschedulable", tree => tree.Object("spec").Boolean("unschedulable") == true ? "true" : "false")
                ),
            },
            Of<V1Pod>("", "v1", "pods", "pod", "Pod", new PodStrategy()) with
            {
                ShortNames = ["po"],
                Categories = ["all"],
                HasGeneration = true,
                ReturnsDeleted = true,
                Table = WorkloadTables.Pods,
                Subresources =
                [
                    new("attach", "PodAttachOptions", ["create", "get"]),
                    new("exec", "PodExecOptions", ["create", "get"]),
                    new("log", "Pod", ["get"]),
                    new("portforward", "PodPortForwardOptions", ["create", "get"]),
                    new("proxy", "PodProxyOptions", ["create", "delete", "get", "patch", "update"]),
                    .. Status("Pod"),
                ],
                SelectableFields = Fields(
                    ("spec.nodeName", tree => tree.Object("spec").Text("nodeName")),
                    ("spec.restartPolicy", tree => tree.Object("spec").Text("restartPolicy")),
                    ("spec.schedulerName", tree => tree.Object("spec").Text("schedulerName")),
                    ("spec.serviceAccountName", tree => tree.Object("spec").Text("serviceAccountName")),
                    ("status.phase", tree => tree.Object("status").Text("phase")),
                    ("status.podIP", tree => tree.Object("status").Text("podIP")),
                    ("status.nominatedNodeName", tree => tree.Object("status").Text("nominatedNodeName"))
                ),
            },
            Of<V1Secret>("", "v1", "secrets", "secret", "Secret", new SecretStrategy()) with
            {
                Table = CoreTables.Secrets,
                SelectableFields = Fields(("type", tree => tree.Text("type"))),
            },
            Of<V1ServiceAccount>("", "v1", "serviceaccounts", "serviceaccount", "ServiceAccount") with
            {
                ShortNames = ["sa"],
                ReturnsDeleted = true,
                Table = CoreTables.ServiceAccounts,
                Subresources = [new("token", "TokenRequest", CreateOnly, "authentication.k8s.io", "v1")],
            },
            Of<V1Service>("", "v1", "services", "service", "Service", new ServiceStrategy(addresses)) with
            {
                ShortNames = ["svc"],
                Categories = ["all"],
                ReturnsDeleted = true,
                Table = CoreTables.Services,
                Subresources = [new("proxy", "ServiceProxyOptions", ["create", "delete", "get", "patch", "update"]), .. Status("Service")],
                SelectableFields = Fields(
                    ("spec.clusterIP", tree => tree.Object("spec").Text("clusterIP")),
                    ("spec.type", tree => tree.Object("spec").Text("type"))
                ),
            },
        ];

    private static IEnumerable<ResourceDefinition> Apps() =>
        [
            Workload<V1DaemonSet>("daemonsets", "DaemonSet", "ds", WorkloadStrategy.DaemonSet, WorkloadTables.DaemonSets, scales: false),
            Workload<V1Deployment>(
                "deployments",
                "Deployment",
                "deploy",
                WorkloadStrategy.Deployment,
                WorkloadTables.Deployments,
                scales: true
            ),
            Workload<V1ReplicaSet>(
                "replicasets",
                "ReplicaSet",
                "rs",
                WorkloadStrategy.ReplicaSet,
                WorkloadTables.ReplicaSets,
                scales: true
            ),
        ];

    private static IEnumerable<ResourceDefinition> Policies() =>
        [
            Of<V2HorizontalPodAutoscaler>(
                "autoscaling",
                "v2",
                "horizontalpodautoscalers",
                "horizontalpodautoscaler",
                "HorizontalPodAutoscaler",
                new AutoscalerStrategy()
            ) with
            {
                ShortNames = ["hpa"],
                Categories = ["all"],
                Table = WorkloadTables.Autoscalers,
                Subresources = Status("HorizontalPodAutoscaler"),
            },
            Of<V1PodDisruptionBudget>(
                "policy",
                "v1",
                "poddisruptionbudgets",
                "poddisruptionbudget",
                "PodDisruptionBudget",
                new PodDisruptionBudgetStrategy()
            ) with
            {
                ShortNames = ["pdb"],
                HasGeneration = true,
                Table = WorkloadTables.PodDisruptionBudgets,
                Subresources = Status("PodDisruptionBudget"),
            },
            Of<V1NetworkPolicy>("networking.k8s.io", "v1", "networkpolicies", "networkpolicy", "NetworkPolicy") with
            {
                ShortNames = ["netpol"],
                HasGeneration = true,
                Table = WorkloadTables.NetworkPolicies,
            },
            Of<V1ServiceCIDR>("networking.k8s.io", "v1", "servicecidrs", "servicecidr", "ServiceCIDR") with
            {
                Namespaced = false,
                HasGeneration = true,
                Table = WorkloadTables.ServiceCidrs,
                Subresources = Status("ServiceCIDR"),
            },
        ];

    /// <summary>Stored only, so that release manifests that contain them can be applied; they are not evaluated.</summary>
    private static IEnumerable<ResourceDefinition> Admission()
    {
        const string Group = "admissionregistration.k8s.io";
        return
        [
            Of<V1ValidatingAdmissionPolicy>(
                Group,
                "v1",
                "validatingadmissionpolicies",
                "validatingadmissionpolicy",
                "ValidatingAdmissionPolicy",
                AdmissionStrategy.Policies
            ) with
            {
                Namespaced = false,
                Categories = ["api-extensions"],
                HasGeneration = true,
                Table = AdmissionTables.Policies,
                Subresources = Status("ValidatingAdmissionPolicy"),
            },
            Of<V1ValidatingAdmissionPolicyBinding>(
                Group,
                "v1",
                "validatingadmissionpolicybindings",
                "validatingadmissionpolicybinding",
                "ValidatingAdmissionPolicyBinding",
                AdmissionStrategy.Bindings
            ) with
            {
                Namespaced = false,
                Categories = ["api-extensions"],
                HasGeneration = true,
                Table = AdmissionTables.Bindings,
            },
        ];
    }

    private static IEnumerable<ResourceDefinition> Rbac()
    {
        const string Group = "rbac.authorization.k8s.io";
        var strategy = new RbacStrategy();
        return
        [
            Of<V1ClusterRoleBinding>(Group, "v1", "clusterrolebindings", "clusterrolebinding", "ClusterRoleBinding", strategy) with
            {
                Namespaced = false,
                Table = CoreTables.Bindings,
            },
            Of<V1ClusterRole>(Group, "v1", "clusterroles", "clusterrole", "ClusterRole", strategy) with
            {
                Namespaced = false,
                Table = TableFormat.NameAndCreation,
            },
            Of<V1RoleBinding>(Group, "v1", "rolebindings", "rolebinding", "RoleBinding", strategy) with
            {
                Table = CoreTables.Bindings,
            },
            Of<V1Role>(Group, "v1", "roles", "role", "Role", strategy) with
            {
                Table = TableFormat.NameAndCreation,
            },
        ];
    }

    private static IEnumerable<ResourceDefinition> Reviews() =>
        [
            Of<V1SelfSubjectReview>("authentication.k8s.io", "v1", "selfsubjectreviews", "selfsubjectreview", "SelfSubjectReview") with
            {
                Namespaced = false,
                Verbs = CreateOnly,
            },
            Of<V1TokenReview>("authentication.k8s.io", "v1", "tokenreviews", "tokenreview", "TokenReview") with
            {
                Namespaced = false,
                Verbs = CreateOnly,
            },
            Of<V1LocalSubjectAccessReview>(
                "authorization.k8s.io",
                "v1",
                "localsubjectaccessreviews",
                "localsubjectaccessreview",
                "LocalSubjectAccessReview"
            ) with
            {
                Verbs = CreateOnly,
            },
            Of<V1SelfSubjectAccessReview>(
                "authorization.k8s.io",
                "v1",
                "selfsubjectaccessreviews",
                "selfsubjectaccessreview",
                "SelfSubjectAccessReview"
            ) with
            {
                Namespaced = false,
                Verbs = CreateOnly,
            },
            Of<V1SelfSubjectRulesReview>(
                "authorization.k8s.io",
                "v1",
                "selfsubjectrulesreviews",
                "selfsubjectrulesreview",
                "SelfSubjectRulesReview"
            ) with
            {
                Namespaced = false,
                Verbs = CreateOnly,
            },
            Of<V1SubjectAccessReview>(
                "authorization.k8s.io",
                "v1",
                "subjectaccessreviews",
                "subjectaccessreview",
                "SubjectAccessReview"
            ) with
            {
                Namespaced = false,
                Verbs = CreateOnly,
            },
        ];

    private static ResourceDefinition Workload<T>(
        string plural,
        string kind,
        string shortName,
        ResourceStrategy strategy,
        ITableFormat table,
        bool scales
    ) =>
        Of<T>("apps", "v1", plural, kind.ToLowerInvariant(), kind, strategy) with
        {
            ShortNames = [shortName],
            Categories = ["all"],
            HasGeneration = true,
            Table = table,
            Subresources = scales ? [new("scale", "Scale", ReadUpdate, "autoscaling", "v1"), .. Status(kind)] : Status(kind),
        };

    private static ResourceDefinition Of<T>(
        string group,
        string version,
        string plural,
        string singular,
        string kind,
        ResourceStrategy? strategy = null
    ) =>
        new()
        {
            Group = group,
            Version = version,
            Plural = plural,
            Singular = singular,
            Kind = kind,
            Type = TypeSchema.Of(typeof(T)),
            Strategy = strategy ?? ResourceStrategy.Plain,
            Table = TableFormat.NameAndAge,
        };

    private static SubresourceDefinition[] Status(string kind) => [new("status", kind, ReadUpdate)];

    private static Dictionary<string, Func<JsonObject, string>> Fields(
        params IEnumerable<(string Name, Func<JsonObject, string?> Read)> fields
    ) =>
        fields.ToDictionary(
            field => field.Name,
            field => (Func<JsonObject, string>)(tree => field.Read(tree) ?? ""),
            StringComparer.Ordinal
        );

    private static Dictionary<string, Func<JsonObject, string>> EventFields()
    {
        var fields = Fields(
            ("reason", tree => tree.Text("reason")),
            ("reportingComponent", tree => tree.Text("reportingComponent") ?? tree.Object("source").Text("component")),
            ("source", tree => tree.Object("source").Text("component") ?? tree.Text("reportingComponent")),
            ("type", tree => tree.Text("type"))
        );
        foreach (var member in new[] { "kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath" })
        {
            fields[$"involvedObject.{member}"] = tree => tree.Object("involvedObject").Text(member) ?? "";
        }
        return fields;
    }
}
