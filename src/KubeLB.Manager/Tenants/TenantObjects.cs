using System.Text;
using System.Text.Json.Nodes;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Naming;
using KubeLB.Api.Serialization;
using KubeLB.Api.V1Alpha1;
using KubeLB.Runtime.Hosting;
using KubeLB.Translation.Tenants;

namespace KubeLB.Manager.Tenants;

/// <summary>Builds a tenant's objects in the management cluster.</summary>
internal static class TenantObjects
{
    /// <summary>Type of Secrets to which the token controller writes a token.</summary>
    public const string TokenType = "kubernetes.io/service-account-token";

    /// <summary>Annotation with the UID of a token's ServiceAccount.</summary>
    public const string TokenAccountUid = "kubernetes.io/service-account.uid";

    /// <summary>Annotation with the name of a token's ServiceAccount.</summary>
    public const string TokenAccount = "kubernetes.io/service-account.name";

    private const string RbacGroup = "rbac.authorization.k8s.io";
    private static readonly string[] ReadVerbs = ["get", "list", "watch"];
    private static readonly string[] WriteVerbs = ["create", "update", "get", "list", "delete", "patch", "watch"];
    private static readonly string[] WriteStatusVerbs = ["update", "get", "patch"];

    // As granted by the Go manager 1.4.
    private static readonly string[] GoCcmResources = ["loadbalancers", Route.PluralName, Addresses.PluralName, SyncSecret.PluralName];

    public static V1Namespace Namespace(Tenant tenant) =>
        new()
        {
            ApiVersion = V1Namespace.KubeApiVersion,
            Kind = V1Namespace.KubeKind,
            Metadata = new V1ObjectMeta
            {
                Name = TenantNames.Namespace(tenant.Name),
                Labels = ManagedBy(),
                OwnerReferences = [Owner(tenant)],
            },
        };

    public static V1ServiceAccount ServiceAccount(Tenant tenant) =>
        new()
        {
            ApiVersion = V1ServiceAccount.KubeApiVersion,
            Kind = V1ServiceAccount.KubeKind,
            Metadata = Metadata(tenant, TenantNames.Ccm),
        };

    /// <summary>
    /// The CCM may write Routes, SyncSecrets and its Addresses, and read them with their statuses. A Go CCM also updates, watches
    /// LoadBalancers and TenantStates, and writes statuses; the manager reads nothing from a status by which a tenant could affect more
    /// than its own traffic (ADR 29).
    /// </summary>
    /// <param name="tenant">The Tenant.</param>
    /// <param name="goCompatibility">Whether to grant what a Go CCM needs.</param>
    public static V1Role Role(Tenant tenant, bool goCompatibility) =>
        new()
        {
            ApiVersion = $"{RbacGroup}/{V1Role.KubeApiVersion}",
            Kind = V1Role.KubeKind,
            Metadata = Metadata(tenant, TenantNames.Ccm),
            Rules = goCompatibility
                ?
                [
                    Rule(GoCcmResources, WriteVerbs),
                    Rule([TenantState.PluralName], ReadVerbs),
                    Rule([StatusOf(TenantState.PluralName)], ["get"]),
                    Rule(GoCcmResources.Select(StatusOf), WriteStatusVerbs),
                ]
                :
                [
                    Rule([Route.PluralName, SyncSecret.PluralName], ["create", "get", "list", "delete", "patch", "watch"]),
                    // Kubernetes cannot restrict the name in "create", and in a list only if the client selects it.
                    Rule([Addresses.PluralName], ["create", "list", "watch"]),
                    Rule([Addresses.PluralName], ["get", "patch"], Addresses.DefaultName),
                    Rule([TenantState.PluralName], ["get"], TenantState.DefaultName),
                ],
        };

    public static V1RoleBinding RoleBinding(Tenant tenant) =>
        new()
        {
            ApiVersion = $"{RbacGroup}/{V1RoleBinding.KubeApiVersion}",
            Kind = V1RoleBinding.KubeKind,
            Metadata = Metadata(tenant, TenantNames.Ccm),
            RoleRef = new V1RoleRef
            {
                ApiGroup = RbacGroup,
                Kind = V1Role.KubeKind,
                Name = TenantNames.Ccm,
            },
            Subjects =
            [
                new Rbacv1Subject
                {
                    Kind = V1ServiceAccount.KubeKind,
                    Name = TenantNames.Ccm,
                    NamespaceProperty = TenantNames.Namespace(tenant.Name),
                },
            ],
        };

    /// <summary>The Secret to which the token controller writes a token of the ServiceAccount.</summary>
    /// <param name="tenant">The Tenant.</param>
    /// <param name="name">Name of the Secret.</param>
    public static V1Secret Token(Tenant tenant, string name)
    {
        var secret = Secret(tenant, name, TokenType);
        secret.Metadata.Annotations = new Dictionary<string, string>(StringComparer.Ordinal) { [TokenAccount] = TenantNames.Ccm };
        return secret;
    }

    public static V1Secret Kubeconfig(Tenant tenant, string kubeconfig)
    {
        var secret = Secret(tenant, TenantNames.KubeconfigSecret, "Opaque");
        secret.Data = new Dictionary<string, byte[]>(StringComparer.Ordinal)
        {
            [TenantNames.KubeconfigKey] = Encoding.UTF8.GetBytes(kubeconfig),
        };
        return secret;
    }

    public static TenantState State(Tenant tenant)
    {
        var owner = Owner(tenant);
        owner.Controller = true;
        owner.BlockOwnerDeletion = true;
        return new TenantState
        {
            Metadata = new V1ObjectMeta
            {
                Name = TenantState.DefaultName,
                NamespaceProperty = TenantNames.Namespace(tenant.Name),
                OwnerReferences = [owner],
            },
            Spec = new TenantStateSpec(),
        };
    }

    /// <summary>Status of <see cref="State"/>; <c>lastUpdated</c> changes only with another field.</summary>
    public static TenantStateStatus StateStatus(TenantState state, TenantPolicy policy, BuildVersion build, string now)
    {
        var before = state.Status;
        var gatewayApi = GatewayApiState(policy);
        var version = Version(build);
        var isSame =
            before is not null
            && JsonNode.DeepEquals(ApiJson.ToJson(before.Version ?? new()), ApiJson.ToJson(version))
            && JsonNode.DeepEquals(ApiJson.ToJson(before.GatewayAPI ?? new()), ApiJson.ToJson(gatewayApi ?? new()));
        return new TenantStateStatus
        {
            Version = version,
            LastUpdated = isSame ? before!.LastUpdated ?? now : now,
            LoadBalancer = before?.LoadBalancer ?? new FeatureState(),
            GatewayAPI = gatewayApi,
        };
    }

    /// <summary>The version of a manager in the status of the Config and of TenantStates; <c>unknown</c> in a build without git.</summary>
    public static ManagerVersion Version(BuildVersion build) =>
        new()
        {
            GitVersion = build.Version,
            GitCommit = build.CommitOrUnknown,
            BuildDate = build.CommitDate ?? "unknown",
            Edition = "CE",
        };

    private static GatewayApiState? GatewayApiState(TenantPolicy policy) =>
        policy is { IsGatewayApiDisabled: false, IsHttpRouteDisabled: false, IsGrpcRouteDisabled: false }
            ? null
            : new GatewayApiState
            {
                Disable = policy.IsGatewayApiDisabled ? true : null,
                DisableHTTPRoute = policy.IsHttpRouteDisabled ? true : null,
                DisableGRPCRoute = policy.IsGrpcRouteDisabled ? true : null,
            };

    private static V1PolicyRule Rule(IEnumerable<string> resources, IEnumerable<string> verbs, string? name = null) =>
        new()
        {
            ApiGroups = [ApiGroups.Kubelb],
            Resources = [.. resources],
            Verbs = [.. verbs],
            ResourceNames = name is null ? null : [name],
        };

    private static string StatusOf(string resource) => resource + "/status";

    private static V1Secret Secret(Tenant tenant, string name, string type) =>
        new()
        {
            ApiVersion = V1Secret.KubeApiVersion,
            Kind = V1Secret.KubeKind,
            Metadata = Metadata(tenant, name),
            Type = type,
        };

    private static V1ObjectMeta Metadata(Tenant tenant, string name) =>
        new()
        {
            Name = name,
            NamespaceProperty = TenantNames.Namespace(tenant.Name),
            Labels = ManagedBy(),
        };

    private static V1OwnerReference Owner(Tenant tenant) =>
        new()
        {
            ApiVersion = KubelbVersion.ApiVersion,
            Kind = Tenant.KindName,
            Name = tenant.Name,
            Uid = tenant.Metadata.Uid,
        };

    private static Dictionary<string, string> ManagedBy() => new(StringComparer.Ordinal) { [Labels.ManagedBy] = Labels.ManagedByKubelb };
}
