using k8s;
using KubeLB.Guides.Tests.Support;
using KubeLB.Sandbox.Composition;
using KubeLB.Tests.Shared;

namespace KubeLB.Guides.Tests;

/// <summary>The commands of the first pages work, and print what the pages show: a new user's terminal.</summary>
public sealed class StartPagesTests
{
    public static TheoryData<string> Pages =>
        GuidePages.Of("README.md", "CONTRIBUTING.md", "docs/index.md", "docs/start/", "docs/contributing/");

    [Theory]
    [MemberData(nameof(Pages))]
    public Task Commands_of_a_first_page_work(string page) => GuidePages.RunAsync(page, sandbox: null, GuideCluster.None);
}

/// <summary>The commands of the pages for tenants work, and print what the pages show: in the tenant's cluster.</summary>
public sealed class TenantPagesTests(GuideSandbox sandbox) : IClassFixture<GuideSandbox>
{
    public static TheoryData<string> Pages => GuidePages.Of("docs/tenant/").Half(0);

    [Theory]
    [MemberData(nameof(Pages))]
    public Task Commands_of_a_page_for_tenants_work(string page) => GuidePages.RunAsync(page, sandbox, GuideCluster.Tenant);
}

/// <summary>The other half of <see cref="TenantPagesTests"/>, at the same time.</summary>
public sealed class FurtherTenantPagesTests(GuideSandbox sandbox) : IClassFixture<GuideSandbox>
{
    public static TheoryData<string> Pages => GuidePages.Of("docs/tenant/").Half(1);

    [Theory]
    [MemberData(nameof(Pages))]
    public Task Commands_of_a_page_for_tenants_work(string page) => GuidePages.RunAsync(page, sandbox, GuideCluster.Tenant);
}

/// <summary>The commands of the pages for operators work, and print what the pages show: in the management cluster.</summary>
public sealed class OperatorPagesTests(GuideSandbox sandbox) : IClassFixture<GuideSandbox>
{
    public static TheoryData<string> Pages => GuidePages.Of("docs/operator/", "docs/reference/");

    [Theory]
    [MemberData(nameof(Pages))]
    public Task Commands_of_a_page_for_operators_work(string page) => GuidePages.RunAsync(page, sandbox, GuideCluster.Management);
}

/// <summary>The cluster of KUBECONFIG on a page.</summary>
public enum GuideCluster
{
    /// <summary>The page starts its own sandbox.</summary>
    None,

    /// <summary>The tenant's, in a namespace of the page's own.</summary>
    Tenant,

    /// <summary>The management cluster.</summary>
    Management,
}

/// <summary>A sandbox with real Envoys that pages share.</summary>
public sealed class GuideSandbox : IAsyncLifetime
{
    private SandboxEnvironment? _environment;

    /// <summary>The sandbox.</summary>
    public SandboxEnvironment Environment => _environment!;

    public async ValueTask InitializeAsync()
    {
        if (GuidePages.Missing is null)
        {
            _environment = await SandboxEnvironment.StartAsync(new SandboxOptions { Envoy = EnvoyBinary.Location });
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_environment is not null)
        {
            await _environment.DisposeAsync();
        }
    }
}

/// <summary>Runs pages.</summary>
internal static class GuidePages
{
    /// <summary>What checking a page lacks; null for nothing.</summary>
    public static string? MissingProgram { get; } =
        KubectlBinary.Location is null ? "kubectl is not on PATH"
        : HelmBinary.Location is null ? "no helm binary: none is on PATH, and KUBELB_HELM names none"
        : null;

    /// <summary>What running a page lacks; null for nothing.</summary>
    public static string? Missing { get; } =
        MissingProgram is not null ? MissingProgram
        : EnvoyBinary.Location is null ? "no envoy binary: none is on PATH, and KUBELB_ENVOY names none"
        : Environment.IsPrivilegedProcess ? null
        : "port 80 needs root";

    /// <summary>Pages with commands that are run, by path or folder.</summary>
    public static TheoryData<string> Of(params string[] paths) =>
        [
            .. GuidePage
                .All.Where(page => paths.Any(p => p.EndsWith('/') ? page.StartsWith(p, StringComparison.Ordinal) : page == p))
                .Where(page => new GuidePage(page).Blocks.Any(block => block.IsRun)),
        ];

    /// <summary>Every second page.</summary>
    public static TheoryData<string> Half(this TheoryData<string> pages, int remainder) =>
        [.. pages.Select(row => row.Data).Where((_, index) => index % 2 == remainder)];

    /// <summary>Runs all commands of a page.</summary>
    public static async Task RunAsync(string path, GuideSandbox? sandbox, GuideCluster cluster)
    {
        Assert.SkipWhen(Missing is not null, Missing ?? "");
        var page = new GuidePage(path);
        using var folder = new GuideFolder();
        var environment = new Dictionary<string, string>();
        if (sandbox is not null)
        {
            await WriteKubeconfigsAsync(page, folder, sandbox.Environment);
            var kubeconfig = cluster == GuideCluster.Tenant ? "tenant.kubeconfig" : "management.kubeconfig";
            environment["KUBECONFIG"] = Path.Combine(folder.Clone, kubeconfig);
        }

        await using var shell = new GuideShell(folder, environment);
        await GuideRun.RunAsync(page, shell);
    }

    // A page for tenants has a namespace of its own, which its kubeconfig names: its commands and manifests name none.
    private static async Task WriteKubeconfigsAsync(GuidePage page, GuideFolder folder, SandboxEnvironment sandbox)
    {
        var tenant = sandbox.Tenants[0].Cluster;
        using var client = tenant.CreateClient("guides");
        var name = $"guide-{page.Name}";
        await client.CoreV1.CreateNamespaceAsync(new() { Metadata = new() { Name = name } });
        var kubeconfig = Yaml.Read(tenant.KubeconfigYaml).Single();
        kubeconfig["contexts"]![0]!["context"]!["namespace"] = name;
        await File.WriteAllTextAsync(Path.Combine(folder.Clone, "tenant.kubeconfig"), Yaml.Write([kubeconfig]));
        await File.WriteAllTextAsync(Path.Combine(folder.Clone, "management.kubeconfig"), sandbox.Management.KubeconfigYaml);
    }
}
