using KubeLB.Api;
using KubeLB.Api.V1Alpha1;
using KubeLB.Translation.Tenants;

namespace KubeLB.Translation.Tests.Tenants;

/// <summary>A Tenant keeps the defaults of the version before the current one until the next one.</summary>
public sealed class VersionedDefaultsTests
{
    [Theory]
    [InlineData(null, true)]
    [InlineData("0.0", true)]
    [InlineData("0.1", false)]
    [InlineData("0.2", false)]
    [InlineData("1.0", false)]
    [InlineData("", false)]
    [InlineData("latest", false)]
    public void Annotation_selects_the_defaults(string? version, bool isEarlier)
    {
        var tenant = Tenant(version);

        VersionedDefaults.HasEarlier(tenant).Should().Be(isEarlier);
        var policy = TenantPolicy.Merge(null, tenant, VersionedDefaults.Of(tenant));
        (policy.Upcoming is not null).Should().Be(isEarlier);
        policy.DeniesManagementCluster.Should().Be(!isEarlier);
        (policy.MaxHostnames > TenantPolicy.Default.MaxHostnames).Should().Be(isEarlier);
        (policy.Upcoming ?? policy).Should().BeEquivalentTo(TenantPolicy.Default);
    }

    [Fact]
    public void Settings_apply_at_once_with_earlier_defaults()
    {
        var tenant = Tenant(null);
        tenant.Spec = new()
        {
            Limits = new() { Hostnames = 3 },
            GatewayAPI = new()
            {
                MaxRetries = 2,
                Route = new() { Limit = 7 },
            },
            Addresses = new() { NodePorts = "30000-30010" },
        };
        var config = new Config
        {
            Spec = new()
            {
                Limits = new() { Hostnames = 5, Backends = 9 },
            },
        };

        var policy = TenantPolicy.Merge(config, tenant, VersionedDefaults.Of(tenant));

        (policy.MaxHostnames, policy.MaxBackends, policy.MaxRetries, policy.RouteLimit).Should().Be((3, 9, 2, 7));
        policy.NodePorts.ToString().Should().Be("30000-30010");
        policy.MaxListeners.Should().Be(1024, "no setting limits it");
    }

    // A default that was added without its earlier value would reject at once what an earlier version serves.
    [Fact]
    public void Earlier_defaults_relax_every_default_limit()
    {
        var earlier = VersionedDefaults.Of(Tenant(null));
        foreach (var property in typeof(TenantPolicy).GetProperties().Where(p => p.PropertyType == typeof(int)))
        {
            var (before, now) = ((int)property.GetValue(earlier)!, (int)property.GetValue(TenantPolicy.Default)!);
            before.Should().BeGreaterThan(now, property.Name);
        }
    }

    private static Tenant Tenant(string? version) =>
        new()
        {
            Metadata = new()
            {
                Name = "t1",
                Annotations = version is null
                    ? null
                    : new Dictionary<string, string>(StringComparer.Ordinal) { [Annotations.Defaults] = version },
            },
        };
}
