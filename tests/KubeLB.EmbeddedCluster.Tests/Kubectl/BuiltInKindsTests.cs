namespace KubeLB.EmbeddedCluster.Tests.Kubectl;

/// <summary>Built-in kinds of controllers and release manifests: applied by kubectl, printed with the columns of a real cluster.</summary>
public sealed class BuiltInKindsTests(KubectlFixture kubectl) : IClassFixture<KubectlFixture>
{
    private const string Admission = """
        apiVersion: admissionregistration.k8s.io/v1
        kind: ValidatingAdmissionPolicy
        metadata: {name: names.example.com}
        spec:
          matchConstraints:
            resourceRules:
            - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps], scope: Namespaced}
          validations:
          - {expression: "object.metadata.name != 'bad'", message: not that name}
        ---
        apiVersion: admissionregistration.k8s.io/v1
        kind: ValidatingAdmissionPolicyBinding
        metadata: {name: names.example.com}
        spec:
          policyName: names.example.com
          validationActions: [Deny]
          matchResources:
            resourceRules:
            - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps], scope: Namespaced}
        """;

    [Fact]
    public async Task Admission_policies_are_stored_defaulted_and_not_evaluated()
    {
        (await kubectl.OkAsync("apply -f -", Admission))
            .Lines.Should()
            .Equal(
                "validatingadmissionpolicy.admissionregistration.k8s.io/names.example.com created",
                "validatingadmissionpolicybinding.admissionregistration.k8s.io/names.example.com created"
            );
        (await kubectl.OkAsync("apply -f -", Admission))
            .Lines.Should()
            .OnlyContain(line => line.EndsWith(" unchanged", StringComparison.Ordinal));

        var policies = await kubectl.OkAsync("get validatingadmissionpolicies");
        policies.Columns(0).Should().Equal("NAME", "VALIDATIONS", "PARAMKIND", "AGE");
        policies.Columns(1).Take(3).Should().Equal("names.example.com", "1", "<unset>");
        var bindings = await kubectl.OkAsync("get validatingadmissionpolicybindings");
        bindings.Columns(0).Should().Equal("NAME", "POLICYNAME", "PARAMREF", "AGE");
        bindings.Columns(1).Take(3).Should().Equal("names.example.com", "names.example.com", "<unset>");
        (
            await kubectl.OkAsync(
                "get validatingadmissionpolicy names.example.com -o jsonpath={.spec.failurePolicy}/{.spec.matchConstraints.matchPolicy}"
            )
        )
            .Text.Should()
            .Be("Fail/Equivalent");
        await kubectl.OkAsync($"create cm bad -n {await kubectl.Api.NamespaceAsync()}");
        (
            await kubectl.RunAsync(
                "apply -f -",
                Admission.Replace("policyName: names.example.com", "policyName: ''").Replace("name: names", "name: other")
            )
        )
            .Errors.Should()
            .Contain("spec.policyName: Required value");
    }

    [Fact]
    public async Task Daemon_sets_disruption_budgets_and_endpoint_slices_have_their_columns()
    {
        var ns = await kubectl.Api.NamespaceAsync();
        await kubectl.OkAsync(
            $"apply -n {ns} -f -",
            """
            apiVersion: apps/v1
            kind: DaemonSet
            metadata: {name: d}
            spec:
              selector: {matchLabels: {a: b}}
              template:
                metadata: {labels: {a: b}}
                spec:
                  nodeSelector: {disk: ssd}
                  containers: [{name: c, image: nginx}]
            ---
            apiVersion: policy/v1
            kind: PodDisruptionBudget
            metadata: {name: p}
            spec: {minAvailable: 1, selector: {matchLabels: {a: b}}}
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: s, labels: {kubernetes.io/service-name: web}}
            addressType: IPv4
            ports: [{name: http, port: 80}]
            endpoints: [{addresses: [10.0.0.1]}, {addresses: [10.0.0.2]}]
            """
        );

        var daemons = await kubectl.OkAsync($"get ds -n {ns} -o wide");
        daemons
            .Columns(0)
            .Should()
            .Equal(
                "NAME",
                "DESIRED",
                "CURRENT",
                "READY",
                "UP-TO-DATE",
                "AVAILABLE",
                "NODE SELECTOR",
                "AGE",
                "CONTAINERS",
                "IMAGES",
                "SELECTOR"
            );
        daemons.Columns(1).Take(7).Should().Equal("d", "0", "0", "0", "0", "0", "disk=ssd");
        var budgets = await kubectl.OkAsync($"get pdb -n {ns}");
        budgets.Columns(0).Should().Equal("NAME", "MIN AVAILABLE", "MAX UNAVAILABLE", "ALLOWED DISRUPTIONS", "AGE");
        budgets.Columns(1).Take(4).Should().Equal("p", "1", "N/A", "0");
        var slices = await kubectl.OkAsync($"get endpointslices -n {ns}");
        slices.Columns(0).Should().Equal("NAME", "ADDRESSTYPE", "PORTS", "ENDPOINTS", "AGE");
        slices.Columns(1).Take(4).Should().Equal("s", "IPv4", "80", "10.0.0.1,10.0.0.2");
    }

    [Fact]
    public async Task Event_is_visible_and_deletable_in_both_groups()
    {
        var ns = await kubectl.Api.NamespaceAsync();
        await kubectl.OkAsync(
            $"create -n {ns} -f -",
            $$"""
            apiVersion: events.k8s.io/v1
            kind: Event
            metadata: {name: e, namespace: {{ns}}}
            eventTime: "2026-01-01T00:00:00.000000Z"
            reportingController: example.com/tester
            reportingInstance: tester-1
            action: Testing
            reason: Tested
            regarding: {apiVersion: v1, kind: ConfigMap, name: c, namespace: {{ns}}}
            note: seen from both sides
            type: Normal
            """
        );

        (
            await kubectl.OkAsync(
                $"get events -n {ns} -o jsonpath={{.items[0].message}}/{{.items[0].involvedObject.name}}/{{.items[0].reportingComponent}}"
            )
        )
            .Text.Should()
            .Be("seen from both sides/c/example.com/tester");
        (await kubectl.OkAsync($"get events.events.k8s.io e -n {ns} -o jsonpath={{.note}}/{{.regarding.name}}"))
            .Text.Should()
            .Be("seen from both sides/c");
        await kubectl.OkAsync($"delete events.events.k8s.io e -n {ns}");
        (await kubectl.OkAsync($"get events -n {ns} -o name")).Lines.Should().BeEmpty();
    }

    [Fact]
    public async Task Deleted_Deployment_deletes_its_dependents_unless_orphaned()
    {
        var ns = await kubectl.Api.NamespaceAsync();
        foreach (var name in new[] { "gone", "kept" })
        {
            await kubectl.OkAsync($"create deployment {name} -n {ns} --image=nginx");
            var uid = (await kubectl.OkAsync($"get deploy {name} -n {ns} -o jsonpath={{.metadata.uid}}")).Text;
            (
                await kubectl.Api.PostAsync(
                    $"/api/v1/namespaces/{ns}/configmaps",
                    $$$"""
                    {"metadata":{"name":"of-{{{name}}}","ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"{{{name}}}",
                      "uid":"{{{uid}}}"}]}}
                    """
                )
            ).ShouldBe(201);
        }

        await kubectl.OkAsync($"delete deploy gone -n {ns}");
        await kubectl.OkAsync($"delete deploy kept -n {ns} --cascade=orphan");

        await kubectl.Api.UntilGoneAsync($"/api/v1/namespaces/{ns}/configmaps/of-gone");
        (await kubectl.OkAsync($"get cm of-kept -n {ns} -o jsonpath={{.metadata.ownerReferences}}")).Text.Should().BeEmpty();
    }
}

/// <summary>Released definition files. Small ones are fixtures; KUBELB_TEST_CRDS can contain a folder of large ones.</summary>
public sealed class DefinitionFilesTests(KubectlFixture kubectl) : IClassFixture<KubectlFixture>
{
    private const string Variable = "KUBELB_TEST_CRDS";

    [Fact]
    public async Task Release_manifests_are_applied_served_and_explained()
    {
        var folder = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(
            string.IsNullOrEmpty(folder),
            $"{Variable} does not name a folder with CustomResourceDefinitions of releases, for instance of the Gateway API"
        );

        var applied = await kubectl.OkAsync($"create -R -f {folder}");
        (await kubectl.OkAsync($"apply -R -f {folder}")).Lines.Should().HaveSameCount(applied.Lines);

        applied.Lines.Should().NotBeEmpty().And.OnlyContain(line => line.EndsWith(" created", StringComparison.Ordinal));
        await kubectl.OkAsync("wait crd --all --for=condition=Established --timeout=10s");
        foreach (var plural in (await kubectl.OkAsync("get crd -o jsonpath={.items[*].metadata.name}")).Text.Split(' '))
        {
            await kubectl.OkAsync($"get {plural} -A");
            (await kubectl.OkAsync($"explain {plural}")).Text.Should().Contain("KIND:");
        }
    }
}
