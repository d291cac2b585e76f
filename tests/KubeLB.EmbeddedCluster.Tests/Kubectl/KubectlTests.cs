using System.Diagnostics;
using KubeLB.EmbeddedCluster.Tests.Support;
using KubeLB.Tests.Shared;

namespace KubeLB.EmbeddedCluster.Tests.Kubectl;

/// <summary>kubectl with an embedded cluster.</summary>
public sealed class KubectlTests(KubectlFixture kubectl) : IClassFixture<KubectlFixture>
{
    private const string App = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, labels: {app: web}}
        spec:
          replicas: 2
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec:
              containers:
              - name: web
                image: nginx:1.25
                ports: [{containerPort: 80}]
                env: [{name: A, value: "1"}, {name: B, value: "2"}]
                readinessProbe: {httpGet: {port: 80}}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec:
          type: NodePort
          selector: {app: web}
          ports:
          - {name: http, port: 80}
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: settings}
        data: {a: "1", b: "2"}
        """;

    [Fact]
    public async Task Apply_creates_keeps_and_removes_fields()
    {
        var ns = await kubectl.Api.NamespaceAsync();

        (await kubectl.OkAsync($"apply -n {ns} -f -", App))
            .Lines.Should()
            .Equal("deployment.apps/web created", "service/web created", "configmap/settings created");
        (await kubectl.OkAsync($"apply -n {ns} -f -", App))
            .Lines.Should()
            .Equal("deployment.apps/web unchanged", "service/web unchanged", "configmap/settings unchanged");
        (await kubectl.OkAsync($"apply -n {ns} --dry-run=server -f -", App))
            .Lines.Should()
            .Equal(
                "deployment.apps/web unchanged (server dry run)",
                "service/web unchanged (server dry run)",
                "configmap/settings unchanged (server dry run)"
            );

        var changed = App.Replace("{name: A, value: \"1\"}, ", "").Replace("b: \"2\"", "c: \"3\"");
        (await kubectl.OkAsync($"apply -n {ns} -f -", changed))
            .Lines.Should()
            .Equal("deployment.apps/web configured", "service/web unchanged", "configmap/settings configured");
        (await kubectl.OkAsync($"get cm settings -n {ns} -o jsonpath={{.data}}")).Text.Should().Be("{\"a\":\"1\",\"c\":\"3\"}");
        (await kubectl.OkAsync($"get deploy web -n {ns} -o jsonpath={{.spec.template.spec.containers[0].env}}"))
            .Text.Should()
            .Be("[{\"name\":\"B\",\"value\":\"2\"}]");
    }

    [Fact]
    public async Task Get_prints_the_columns_of_a_real_cluster()
    {
        var ns = await kubectl.Api.NamespaceAsync();
        await kubectl.OkAsync($"apply -n {ns} -f -", App);
        await kubectl.OkAsync($"run p --image=nginx -n {ns}");

        (await kubectl.OkAsync($"get deploy -n {ns} -o wide"))
            .Columns(0)
            .Should()
            .Equal("NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "CONTAINERS", "IMAGES", "SELECTOR");
        var service = await kubectl.OkAsync($"get svc -n {ns} -o wide");
        service.Columns(0).Should().Equal("NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE", "SELECTOR");
        service.Columns(1)[4].Should().MatchRegex("^80:3[0-9]{4}/TCP$");
        var pod = await kubectl.OkAsync($"get po -n {ns} -o wide");
        pod.Columns(0).Should().Equal("NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE", "NOMINATED NODE", "READINESS GATES");
        pod.Columns(1).Take(4).Should().Equal("p", "0/1", "Pending", "0");
        (await kubectl.OkAsync($"get all -n {ns} -o name")).Lines.Should().Equal("pod/p", "service/web", "deployment.apps/web");
        (await kubectl.OkAsync($"get po -A -l run=p --field-selector metadata.namespace={ns}")).Columns(0)[0].Should().Be("NAMESPACE");
        (await kubectl.OkAsync($"get po -n {ns} --field-selector status.phase=Running")).Errors.Should().Contain("No resources found");
    }

    [Fact]
    public async Task Get_watch_follows_changes()
    {
        var ns = await kubectl.Api.NamespaceAsync();
        using var watch = kubectl.Start($"get cm -w -n {ns}");
        await kubectl.Api.PostAsync($"/api/v1/namespaces/{ns}/configmaps", """{"metadata":{"name":"seen"},"data":{"a":"b"}}""");
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));

        (await watch.StandardOutput.ReadLineAsync(deadline.Token)).Should().MatchRegex("^NAME +DATA +AGE$");
        (await watch.StandardOutput.ReadLineAsync(deadline.Token)).Should().MatchRegex("^seen +1 +[0-9]+s$");
        watch.Kill();
    }

    [Fact]
    public async Task Describe_shows_events()
    {
        var ns = await kubectl.Api.NamespaceAsync();
        await kubectl.OkAsync($"apply -n {ns} -f -", App);
        var uid = (await kubectl.OkAsync($"get svc web -n {ns} -o jsonpath={{.metadata.uid}}")).Text;
        var now = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
        (
            await kubectl.Api.PostAsync(
                $"/api/v1/namespaces/{ns}/events",
                $$$"""
                {"metadata":{"name":"web.1"},"involvedObject":{"kind":"Service","name":"web","namespace":"{{{ns}}}","uid":"{{{uid}}}"},
                  "reason":"Served","message":"all is well","type":"Normal",
                 "source":{"component":"tester"},"firstTimestamp":"{{{now}}}","lastTimestamp":"{{{now}}}","count":1}
                """
            )
        ).ShouldBe(201);

        (await kubectl.OkAsync($"describe svc web -n {ns}")).Text.Should().MatchRegex("Normal +Served +[0-9]+s +tester +all is well");
        (await kubectl.OkAsync($"get events -n {ns}")).Columns(1).Skip(1).Should().Equal("Normal", "Served", "service/web", "all is well");
        (await kubectl.OkAsync($"events -n {ns}")).Text.Should().Contain("all is well");
        (await kubectl.OkAsync($"get events.events.k8s.io -n {ns} -o jsonpath={{.items[0].note}}")).Text.Should().Be("all is well");
    }

    [Fact]
    public async Task Patch_label_annotate_scale_replace_and_edit_change_objects()
    {
        var ns = await kubectl.Api.NamespaceAsync();
        await kubectl.OkAsync($"apply -n {ns} -f -", App);

        (await kubectl.OkAsync($"patch svc web -n {ns} -p '{{\"spec\":{{\"ports\":[{{\"port\":80,\"name\":\"h\"}}]}}}}'"))
            .Text.Should()
            .Be("service/web patched\n");
        (await kubectl.OkAsync($"patch svc web -n {ns} --type=merge -p '{{\"metadata\":{{\"labels\":{{\"a\":\"b\"}}}}}}'"))
            .Text.Should()
            .Be("service/web patched\n");
        (
            await kubectl.OkAsync(
                $"patch svc web -n {ns} --type=json -p '[{{\"op\":\"test\",\"path\":\"/spec/ports/0/name\",\"value\":\"h\"}}]'"
            )
        )
            .Text.Should()
            .Be("service/web patched (no change)\n");
        (await kubectl.OkAsync($"label svc web -n {ns} c=d")).Text.Should().Be("service/web labeled\n");
        (await kubectl.OkAsync($"annotate svc web -n {ns} e=f")).Text.Should().Be("service/web annotated\n");
        (await kubectl.OkAsync($"scale deploy web -n {ns} --replicas=5")).Text.Should().Be("deployment.apps/web scaled\n");
        (await kubectl.OkAsync($"get deploy web -n {ns} -o jsonpath={{.spec.replicas}}/{{.metadata.generation}}")).Text.Should().Be("5/2");
        var yaml = (await kubectl.OkAsync($"get cm settings -n {ns} -o yaml")).Text;
        (await kubectl.OkAsync($"replace -n {ns} -f -", yaml.Replace("a: \"1\"", "a: \"9\"")))
            .Text.Should()
            .Be("configmap/settings replaced\n");
        var stale = await kubectl.RunAsync($"replace -n {ns} -f -", yaml);
        stale.ExitCode.Should().Be(1);
        stale
            .Errors.Should()
            .Contain(
                "Operation cannot be fulfilled on configmaps \"settings\": the object has been modified; please apply your changes "
                    + "to the latest version and try again"
            );
    }

    [Fact]
    public async Task Delete_and_wait_block_until_done()
    {
        var ns = await kubectl.Api.NamespaceAsync();
        await kubectl.OkAsync($"apply -n {ns} -f -", App);

        (await kubectl.OkAsync($"delete cm settings -n {ns}"))
            .Text.Should()
            .MatchRegex("^configmap \"settings\" deleted( from .* namespace)?\n$");
        (await kubectl.OkAsync($"wait deploy/web -n {ns} --for=jsonpath={{.spec.replicas}}=2 --timeout=10s"))
            .Text.Should()
            .Be("deployment.apps/web condition met\n");
        await kubectl.Api.MergeAsync(
            $"/apis/apps/v1/namespaces/{ns}/deployments/web/status",
            """{"status":{"observedGeneration":1,"replicas":2,"updatedReplicas":2,"readyReplicas":2,"availableReplicas":2"""
                + ""","conditions":[{"type":"Available","status":"True"}]}}"""
        );
        (await kubectl.OkAsync($"wait deploy/web -n {ns} --for=condition=Available --timeout=10s"))
            .Text.Should()
            .Be("deployment.apps/web condition met\n");
        (await kubectl.OkAsync($"rollout status deploy/web -n {ns} --timeout=10s"))
            .Text.Should()
            .Be("deployment \"web\" successfully rolled out\n");
        (await kubectl.OkAsync($"delete deploy web -n {ns} --cascade=orphan"))
            .Text.Should()
            .MatchRegex("^deployment.apps \"web\" deleted( from .* namespace)?\n$");
        (await kubectl.OkAsync($"delete ns {ns} --wait --timeout=20s")).Text.Should().Be($"namespace \"{ns}\" deleted\n");
        (await kubectl.RunAsync($"get ns {ns}")).Errors.Should().Be($"Error from server (NotFound): namespaces \"{ns}\" not found\n");
    }

    [Fact]
    public async Task Commands_that_send_protobuf_are_supported()
    {
        var ns = await kubectl.Api.NamespaceAsync();

        await kubectl.OkAsync($"create deployment d -n {ns} --image=nginx --replicas=3 --port=80 -- sleep 1");
        (
            await kubectl.OkAsync(
                $"get deploy d -n {ns} -o "
                    + "jsonpath={.spec.replicas}/{.spec.template.spec.containers[0].command}/{.spec.template.spec.containers[0].ports}"
            )
        )
            .Text.Should()
            .Be("3/[\"sleep\",\"1\"]/[{\"containerPort\":80,\"protocol\":\"TCP\"}]");
        await kubectl.OkAsync($"create secret generic s -n {ns} --from-literal=k=v");
        (await kubectl.OkAsync($"get secret s -n {ns} -o jsonpath={{.data.k}}")).Text.Should().Be("dg==");
        await kubectl.OkAsync($"create cm c -n {ns} --from-literal=k=v");
        await kubectl.OkAsync($"create svc nodeport np -n {ns} --tcp=80:http");
        (await kubectl.OkAsync($"get svc np -n {ns} -o jsonpath={{.spec.ports[0].targetPort}}")).Text.Should().Be("http");
        await kubectl.OkAsync($"create sa robot -n {ns}");
        await kubectl.OkAsync($"create role r -n {ns} --verb=get,list --resource=pods,services");
        await kubectl.OkAsync($"create rolebinding b -n {ns} --role=r --serviceaccount={ns}:robot");
        await kubectl.OkAsync($"create pdb p -n {ns} --selector=a=b --max-unavailable=50%");
        (await kubectl.OkAsync($"get pdb p -n {ns}")).Columns(1).Take(4).Should().Equal("p", "N/A", "50%", "0");
        (await kubectl.OkAsync($"auth can-i list services -n {ns} --as=system:serviceaccount:{ns}:robot")).Text.Should().Be("yes\n");
        (await kubectl.RunAsync($"auth can-i delete services -n {ns} --as=system:serviceaccount:{ns}:robot")).Text.Should().Be("no\n");
        var token = (await kubectl.OkAsync($"create token robot -n {ns} --duration=20m")).Text.Trim();
        (await kubectl.OkAsync($"--token={token} auth whoami -o jsonpath={{.status.userInfo.username}}"))
            .Text.Should()
            .Be($"system:serviceaccount:{ns}:robot");
        (await kubectl.RunAsync($"--token={token} get secrets -n {ns}"))
            .Errors.Should()
            .Be(
                $"Error from server (Forbidden): secrets is forbidden: User \"system:serviceaccount:{ns}:robot\" cannot list "
                    + $"resource \"secrets\" in API group \"\" in the namespace \"{ns}\"\n"
            );
    }

    [Fact]
    public async Task Discovery_serves_api_resources_raw_paths_and_version()
    {
        (await kubectl.OkAsync("api-resources --namespaced=true --api-group=apps -o name")).Lines.Should().Contain("deployments.apps");
        (await kubectl.OkAsync("api-versions")).Lines.Should().Contain(["v1", "apps/v1", "events.k8s.io/v1"]);
        (await kubectl.OkAsync("get --raw /readyz")).Text.Should().Be("ok");
        (await kubectl.OkAsync("version")).Text.Should().Contain("Server Version: v1.35.0");
        (await kubectl.OkAsync("explain service.spec.ports")).Text.Should().Contain("nodePort\t<integer>");
    }

    [Fact]
    public async Task Custom_resources_are_explained_listed_described_and_validated()
    {
        var ns = await kubectl.Api.NamespaceAsync();
        await kubectl.OkAsync("apply -f Fixtures/gadgets.crd.yaml");
        (await kubectl.OkAsync("wait crd/gadgets.shop.example.com --for=condition=Established --timeout=10s"))
            .Text.Should()
            .EndWith("condition met\n");

        (await kubectl.OkAsync("explain gadget.spec.size")).Text.Should().Contain("How big it is");
        const string Gadget = """
            apiVersion: shop.example.com/v1
            kind: Gadget
            metadata: {name: g}
            spec: {size: 3, ports: [{name: a, port: 1}]}
            """;
        (await kubectl.OkAsync($"apply -n {ns} -f -", Gadget)).Text.Should().Be("gadget.shop.example.com/g created\n");
        (await kubectl.OkAsync($"get gd -n {ns} -o wide")).Columns(0).Should().Equal("NAME", "SIZE", "READY", "COLOUR", "AGE");
        (await kubectl.OkAsync($"get gadgets -n {ns}")).Columns(1).Take(2).Should().Equal("g", "3");
        (await kubectl.OkAsync($"describe gadget g -n {ns}")).Text.Should().MatchRegex("Colour: +red");
        (await kubectl.OkAsync($"scale gadget g -n {ns} --replicas=4")).Text.Should().Be("gadget.shop.example.com/g scaled\n");
        (
            await kubectl
                .RunAsync($"apply -n {ns} -f -", Gadget + "\n")
                .ContinueWith(_ =>
                    kubectl.RunAsync($"create -n {ns} -f -", Gadget.Replace("size: 3", "size: 3, bogus: 1").Replace("name: g", "name: h"))
                )
                .Unwrap()
        )
            .Errors.Should()
            .Contain("strict decoding error: unknown field \"spec.bogus\"");
        (await kubectl.RunAsync($"create -n {ns} -f -", Gadget.Replace("size: 3", "size: 30").Replace("name: g", "name: h")))
            .Errors.Should()
            .Be("The Gadget \"h\" is invalid: spec.size: Invalid value: 30: spec.size in body should be less than or equal to 10\n");
    }

    [Fact]
    public async Task Server_side_apply_creates_reports_conflicts_and_forces()
    {
        var ns = await kubectl.Api.NamespaceAsync();
        (await kubectl.OkAsync($"apply --server-side -n {ns} -f -", App))
            .Lines.Should()
            .Equal("deployment.apps/web serverside-applied", "service/web serverside-applied", "configmap/settings serverside-applied");
        await kubectl.OkAsync($"scale deploy web -n {ns} --replicas=5");
        await kubectl.OkAsync($"set image deploy/web web=nginx:1.26 -n {ns}");

        var rejected = await kubectl.RunAsync($"apply --server-side -n {ns} -f -", App);
        rejected.ExitCode.Should().Be(1);
        rejected
            .Errors.Should()
            .StartWith(
                """
                error: Apply failed with 2 conflicts: conflicts with "kubectl" with subresource "scale" using apps/v1:
                - .spec.replicas
                conflicts with "kubectl-set" using apps/v1:
                - .spec.template.spec.containers[name="web"].image
                """
            );
        (await kubectl.RunAsync($"diff --server-side --force-conflicts -n {ns} -f -", App))
            .Text.Should()
            .Contain("-  replicas: 5\n+  replicas: 2\n");
        await kubectl.OkAsync($"apply --server-side --force-conflicts -n {ns} -f -", App);
        (await kubectl.RunAsync($"diff --server-side -n {ns} -f -", App)).ExitCode.Should().Be(0);

        (await kubectl.OkAsync($"get cm settings -n {ns} -o yaml")).Text.Should().NotContain("managedFields");
        (await kubectl.OkAsync($"get cm settings -n {ns} -o yaml --show-managed-fields"))
            .Text.Should()
            .Contain("f:data:\n        f:a: {}\n        f:b: {}\n    manager: kubectl\n    operation: Apply\n");
    }

    [Fact]
    public async Task Server_side_apply_continues_client_side_apply()
    {
        var ns = await kubectl.Api.NamespaceAsync();
        await kubectl.OkAsync($"apply -n {ns} -f -", App);

        await kubectl.OkAsync(
            $"apply --server-side -n {ns} -f -",
            App.Replace("b: \"2\"", "c: \"3\"").Replace("replicas: 2", "replicas: 3")
        );

        (await kubectl.OkAsync($"get deploy web -n {ns} -o jsonpath={{.spec.replicas}}")).Text.Should().Be("3");
        (await kubectl.OkAsync($"get cm settings -n {ns} -o jsonpath={{.data.c}}")).Text.Should().Be("3");
    }

    [Fact]
    public async Task Server_side_apply_upgrades_definitions()
    {
        var definition = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Fixtures", "chart", "crds", "gizmos.yaml"));
        await kubectl.OkAsync("apply --server-side -f -", definition);
        (
            await kubectl.OkAsync(
                "apply --server-side -f -",
                definition.Replace("size: {type: integer}", "size: {type: integer}\n              colour: {type: string}")
            )
        )
            .Text.Should()
            .Be("customresourcedefinition.apiextensions.k8s.io/gizmos.shop.example.com serverside-applied\n");
        (await kubectl.OkAsync("explain gizmos.spec")).Text.Should().Contain("colour");
    }
}

/// <summary>A cluster and kubectl.</summary>
public sealed class KubectlFixture : IAsyncLifetime
{
    private KubectlBinary _kubectl = null!;

    public EmbeddedCluster Cluster { get; private set; } = null!;

    public Api Api { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Cluster = await EmbeddedCluster.StartAsync();
        Api = new Api(Cluster);
        _kubectl = new KubectlBinary(Cluster.KubeconfigYaml);
    }

    public async ValueTask DisposeAsync()
    {
        _kubectl.Dispose();
        Api.Dispose();
        await Cluster.DisposeAsync();
    }

    public Task<KubectlOutput> RunAsync(string arguments, string? input = null) => _kubectl.RunAsync(arguments, input);

    public Task<KubectlOutput> OkAsync(string arguments, string? input = null) => _kubectl.OkAsync(arguments, input);

    public Process Start(string arguments) => _kubectl.Start(arguments);
}
