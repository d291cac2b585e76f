using KubeLB.Runtime.Hosting;
using KubeLB.Sandbox.Activity;
using KubeLB.Sandbox.Composition;
using Microsoft.Extensions.DependencyInjection;

namespace KubeLB.Sandbox.Commands;

/// <summary>The instructions of <c>kubelb-sandbox up</c>. Commands fit into 80 columns if the folder's path is short.</summary>
internal sealed class UpScreen(Output output, SandboxFolder folder, SandboxEnvironment sandbox)
{
    private const string Management = "$MANAGEMENT";

    private readonly TenantCluster _tenant = sandbox.Tenants[0];

    /// <summary>Prints the clusters and the commands for a first trial.</summary>
    /// <param name="example">The manifest of the first example.</param>
    /// <param name="standInReason">Why the tenant proxies are stand-ins, if they are.</param>
    /// <param name="hasComponentLogs">Whether the components log to files.</param>
    public void Print(string example, string standInReason, bool hasComponentLogs)
    {
        Clusters(standInReason);
        output.Heading("Try the documentation's first example");
        output.Command($"export KUBECONFIG={Shell.Word(folder.TenantKubeconfig(0))}");
        output.Command($"kubectl apply -f {Shell.Word(example)}");
        output.Command("kubectl wait gateway my-gateway --for=condition=Programmed");
        output.Command("kubectl get gateway,httproute,deployment,pods");
        output.Command("ADDRESS=$(kubectl get gateway my-gateway \\", "-o jsonpath='{.status.addresses[0].value}')");
        output.Command("curl -f --retry 9 --retry-delay 1 --retry-all-errors \\", "-H \"Host: api.example.com\" http://$ADDRESS");

        output.Heading("View the generated objects in the management cluster");
        output.Command($"MANAGEMENT={Shell.Word(folder.ManagementKubeconfig)}");
        InManagement("get routes,gateways,httproutes,services");
        if (sandbox.Proxies is not null)
        {
            InManagement($"logs --prefix --tail=-1 -l {ProxySelector}");
        }

        output.Heading("Break something, and see what the route and the requests report");
        output.Command("curl -i -H \"Host: api.example.com\" -H \"x-echo-status: 503\" http://$ADDRESS");
        InManagement($"delete pod -l {ProxySelector}");
        output.Command("kubectl scale deployment api --replicas=0    # undo: --replicas=2");
        output.Line("More faults: docs/reference/sandbox.md, section \"Simulated pods: fault injection\"");
        output.Heading("Find where requests stop (docs/operator/cli.md)");
        output.Command(
            "dotnet run --project src/KubeLB.Cli -- trace httproute/api-route \\",
            "--management-kubeconfig $MANAGEMENT --probe"
        );

        ManagerPages();
        Logs(hasComponentLogs);
        output.Line();
    }

    private string ProxySelector => $"app.kubernetes.io/name={_tenant.Namespace}";

    private void Clusters(string standInReason)
    {
        output.Heading($"KubeLB sandbox in {folder.FullPath}");
        var rows = sandbox.Tenants.Select(
            (tenant, index) =>
                new[]
                {
                    $"tenant {tenant.Name}",
                    $"{tenant.Cluster.Url}",
                    $"{tenant.NodeAddress}",
                    Path.GetFileName(folder.TenantKubeconfig(index)),
                }
        );
        output.Table(
            ["CLUSTER", "API SERVER", "NODE", "KUBECONFIG"],
            rows.Append(["management", $"{sandbox.Management.Url}", "", Path.GetFileName(folder.ManagementKubeconfig)])
        );
        output.Line();
        output.Line($"Tenant proxies: {sandbox.Proxies ?? $"stand-in ({standInReason})"}");
    }

    private void ManagerPages()
    {
        // --manager-arg can disable both.
        var manager = sandbox.Manager.Host!.Services.GetRequiredService<RuntimeEndpoints>();
        output.Heading("View the metrics and xDS streams of the manager");
        if (manager.Metrics is { } metrics)
        {
            output.Command($"curl http://{metrics}/metrics");
        }

        if (manager.Probe is { } probe)
        {
            output.Command($"curl http://{probe}/debug/xds");
        }
    }

    private void Logs(bool hasComponentLogs)
    {
        var rows = new List<string[]> { new[] { AccessLog.FileName, "requests: status, duration, proxy, node port, pod" } };
        if (hasComponentLogs)
        {
            rows.AddRange([
                ["ccm-TENANT.log", "CCM: Routes of the tenant, statuses of its objects"],
                ["manager.log", "manager: Routes, generated objects, xDS"],
                ["envoy-gateway.log", "Envoy Gateway (stand-in): status of generated objects"],
                ["proxies.log", "tenant proxies: processes or stand-ins"],
                ["node-*.log", "simulated nodes: pods, endpoints, node ports"],
            ]);
        }

        output.Heading($"Logs in {folder.FullPath}");
        output.Table(["FILE", "CONTENT"], rows);
    }

    private void InManagement(string arguments) =>
        output.Command($"kubectl --kubeconfig {Management} -n {_tenant.Namespace} \\", arguments);
}
