using System.CommandLine;
using System.Text;
using k8s.Models;
using KubeLB.Api;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Inspection.Access;
using KubeLB.Runtime.CommandLine;
using KubeLB.Runtime.Storing;
using static KubeLB.Runtime.CommandLine.ControllerOptions;

namespace KubeLB.Cli.Commands;

/// <summary><c>kubelb tenant add</c>: registers a tenant, and prints the kubeconfig of its CCM.</summary>
internal static class TenantCommand
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>Creates the command.</summary>
    public static Command Create() => new("tenant", "Register tenants") { Add() };

    private static Command Add()
    {
        var connection = new ManagementOptions();
        var name = new Argument<string>("name") { HelpName = "NAME", Description = "Name of the Tenant" };
        var wait = Switch("--wait", "Wait until the Tenant is ready");
        var timeout = Number("--timeout", "Seconds to wait", 60);
        var output = OneOf("--output", "Print the kubeconfig of the CCM; implies --wait", "text", "text", "kubeconfig");
        output.Aliases.Add("-o");
        var command = new Command("add", "Create a Tenant, or print the kubeconfig of an existing one") { name, wait, timeout, output };
        connection.AddTo(command);
        Examples.Add(
            command,
            """
              kubelb tenant add shop --wait
              kubelb tenant add shop -o kubeconfig > kubelb.kubeconfig
              kubectl -n kubelb create secret generic kubelb-cluster --from-file=kubelb=kubelb.kubeconfig   # in the tenant's cluster

            The kubeconfig is a credential: it permits everything that the tenant's CCM may do.
            """
        );
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                await using var clusters = connection.Open(parsed);
                var wanted = parsed.GetValue(name)!;
                if (!DnsNames.IsLabel(TenantNames.Namespace(wanted)))
                {
                    throw new UsageException(
                        $"Invalid name \"{wanted}\"; use at most {63 - TenantNames.Prefix.Length} lower-case letters, digits and -."
                    );
                }

                var created = await CreateAsync(clusters, wanted, cancellationToken).ConfigureAwait(false);
                var isKubeconfig = parsed.GetValue(output) == "kubeconfig";
                var messages = isKubeconfig ? parsed.InvocationConfiguration.Error : parsed.InvocationConfiguration.Output;
                await messages.WriteLineAsync($"Tenant {wanted} {(created ? "created" : "exists already")}.").ConfigureAwait(false);
                if (isKubeconfig || parsed.GetValue(wait))
                {
                    var limit = TimeSpan.FromSeconds(parsed.GetValue(timeout));
                    await WaitAsync(clusters, wanted, limit, cancellationToken).ConfigureAwait(false);
                    await messages.WriteLineAsync($"Tenant {wanted} is ready.").ConfigureAwait(false);
                }

                if (isKubeconfig)
                {
                    await parsed
                        .InvocationConfiguration.Output.WriteAsync(
                            await KubeconfigAsync(clusters, wanted, cancellationToken).ConfigureAwait(false)
                        )
                        .ConfigureAwait(false);
                }
                else
                {
                    await messages
                        .WriteLineAsync($"Print the kubeconfig of its CCM: kubelb tenant add {wanted} -o kubeconfig")
                        .ConfigureAwait(false);
                }

                return ExitCodes.Ok;
            }
        );
        return command;
    }

    private static async Task<bool> CreateAsync(ClusterConnections clusters, string name, CancellationToken cancellationToken)
    {
        var tenants = clusters.Management!.Client<Tenant>();
        if (await tenants.GetAsync(new ResourceKey("", name), cancellationToken).ConfigureAwait(false) is not null)
        {
            return false;
        }

        await tenants
            .CreateAsync(
                new Tenant
                {
                    Metadata = new V1ObjectMeta { Name = name },
                    Spec = new(),
                },
                cancellationToken
            )
            .ConfigureAwait(false);
        return true;
    }

    private static async Task WaitAsync(ClusterConnections clusters, string name, TimeSpan limit, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var tenant = await clusters
                .Management!.Client<Tenant>()
                .GetAsync(new ResourceKey("", name), cancellationToken)
                .ConfigureAwait(false);
            if (tenant?.Status?.Phase == TenantPhases.Ready)
            {
                return;
            }

            if (TimeProvider.System.GetElapsedTime(started) > limit)
            {
                var ready = tenant?.Status?.Conditions?.Find(c => c.Status != ConditionStatus.True);
                throw new InspectionException(
                    $"Tenant {name} is not ready after {(int)limit.TotalSeconds} s"
                        + (
                            ready is null
                                ? ": the manager has not reported. Check that it runs, and its log."
                                : $" ({ready.Reason}): {ready.Message}"
                        )
                );
            }

            await Task.Delay(PollInterval, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<string> KubeconfigAsync(ClusterConnections clusters, string name, CancellationToken cancellationToken)
    {
        var secret = await clusters
            .Management!.Client<V1Secret>()
            .GetAsync(new ResourceKey(TenantNames.Namespace(name), TenantNames.KubeconfigSecret), cancellationToken)
            .ConfigureAwait(false);
        return secret?.Data?.TryGetValue(TenantNames.KubeconfigKey, out var kubeconfig) == true
            ? Encoding.UTF8.GetString(kubeconfig)
            : throw new InspectionException(
                $"Secret {TenantNames.Namespace(name)}/{TenantNames.KubeconfigSecret} has no kubeconfig. See the conditions of the Tenant."
            );
    }
}
