using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Resources;

/// <summary>Pods: defaults, and the fields of a pod that can be updated.</summary>
internal sealed class PodStrategy : ResourceStrategy
{
    private static readonly string[] Changeable =
    [
        "activeDeadlineSeconds",
        "tolerations",
        "terminationGracePeriodSeconds",
        "ephemeralContainers",
        "nodeName",
        "schedulingGates",
    ];

    public override void PrepareForCreate(JsonObject tree) =>
        tree["status"] = new JsonObject { ["phase"] = "Pending", ["qosClass"] = QosClass(tree.Object("spec")) };

    public override void Default(JsonObject tree)
    {
        var spec = tree.Ensure("spec");
        PodDefaults.Apply(spec);
        spec.Default("enableServiceLinks", true);
        spec.Default("serviceAccountName", "default");
        spec.Default("serviceAccount", spec.Text("serviceAccountName"));
        spec.Default("preemptionPolicy", "PreemptLowerPriority");
        spec.Default("priority", 0);
    }

    // A pod without a node, or whose containers have terminated, is removed immediately.
    public override long GracePeriod(JsonObject tree, long? requested)
    {
        if (tree.Object("spec").Text("nodeName") is null or "" || tree.Object("status").Text("phase") is "Succeeded" or "Failed")
        {
            return 0;
        }
        return Math.Max(0, requested ?? tree.Object("spec").Integer("terminationGracePeriodSeconds") ?? 30);
    }

    public override void Validate(JsonObject tree, List<FieldError> errors) => PodValidation.Validate(tree.Object("spec"), "spec", errors);

    public override void ValidateUpdate(JsonObject tree, JsonObject old, List<FieldError> errors)
    {
        if (!JsonAccess.Same(Fixed(tree), Fixed(old)))
        {
            errors.Add(
                FieldError.Forbidden(
                    "spec",
                    "pod updates may not change fields other than "
                        + "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` "
                        + "(only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it "
                        + "was previously negative)"
                )
            );
        }
    }

    private static JsonObject Fixed(JsonObject pod)
    {
        var spec = pod.Object("spec")?.Copy() ?? [];
        foreach (var name in Changeable)
        {
            spec.Remove(name);
        }
        foreach (var container in spec.Array("containers").Objects().Concat(spec.Array("initContainers").Objects()))
        {
            container.Remove("image");
        }
        return spec;
    }

    private static string QosClass(JsonObject? spec)
    {
        var resources = spec.Array("containers").Objects().Select(container => container.Object("resources")).ToList();
        if (resources.All(item => item.Object("requests") is null or { Count: 0 } && item.Object("limits") is null or { Count: 0 }))
        {
            return "BestEffort";
        }
        var guaranteed = resources.All(item =>
            item.Object("limits") is { } limits
            && limits.ContainsKey("cpu")
            && limits.ContainsKey("memory")
            && (
                item.Object("requests") is not { } requests
                || requests.All(request => JsonNode.DeepEquals(request.Value, limits[request.Key]))
            )
        );
        return guaranteed ? "Guaranteed" : "Burstable";
    }
}

/// <summary>Defaults of pods and pod templates, so that applying the same manifest again is not a change.</summary>
internal static class PodDefaults
{
    public static void Apply(JsonObject spec)
    {
        spec.Default("restartPolicy", "Always");
        spec.Default("dnsPolicy", "ClusterFirst");
        spec.Default("schedulerName", "default-scheduler");
        spec.Default("terminationGracePeriodSeconds", 30);
        spec.Default("securityContext", new JsonObject());
        if (spec.Text("serviceAccountName") is { Length: > 0 } account)
        {
            spec["serviceAccount"] = account;
        }
        else if (spec.Text("serviceAccount") is { Length: > 0 } deprecated)
        {
            spec["serviceAccountName"] = deprecated;
        }
        foreach (var container in spec.Array("containers").Objects().Concat(spec.Array("initContainers").Objects()))
        {
            Container(container);
        }
        foreach (var volume in spec.Array("volumes").Objects())
        {
            Volume(volume);
        }
    }

    private static void Container(JsonObject container)
    {
        container.Default("terminationMessagePath", "/dev/termination-log");
        container.Default("terminationMessagePolicy", "File");
        container.Default("imagePullPolicy", PullPolicy(container.Text("image") ?? ""));
        container.Default("resources", new JsonObject());
        if (container.Object("resources") is { } resources && resources.Object("limits") is { } limits)
        {
            var requests = resources.Ensure("requests");
            foreach (var (name, limit) in limits)
            {
                requests.Default(name, limit?.DeepClone());
            }
        }
        foreach (var port in container.Array("ports").Objects())
        {
            port.Default("protocol", "TCP");
        }
        foreach (
            var field in container
                .Array("env")
                .Objects()
                .Select(variable => variable.Object("valueFrom").Object("fieldRef"))
                .OfType<JsonObject>()
        )
        {
            field.Default("apiVersion", "v1");
        }
        foreach (var name in new[] { "livenessProbe", "readinessProbe", "startupProbe" })
        {
            if (container.Object(name) is { } probe)
            {
                Probe(probe);
            }
        }
        foreach (var name in new[] { "postStart", "preStop" })
        {
            HttpGet(container.Object("lifecycle").Object(name).Object("httpGet"));
        }
    }

    private static void Probe(JsonObject probe)
    {
        probe.Default("timeoutSeconds", 1);
        probe.Default("periodSeconds", 10);
        probe.Default("successThreshold", 1);
        probe.Default("failureThreshold", 3);
        HttpGet(probe.Object("httpGet"));
        probe.Object("grpc")?.Default("service", "");
    }

    private static void HttpGet(JsonObject? action)
    {
        action?.Default("path", "/");
        action?.Default("scheme", "HTTP");
    }

    private static void Volume(JsonObject volume)
    {
        if (volume.All(member => member.Key == "name"))
        {
            volume["emptyDir"] = new JsonObject();
        }
        foreach (var name in new[] { "secret", "configMap", "downwardAPI", "projected" })
        {
            volume.Object(name)?.Default("defaultMode", 420);
        }
        volume.Object("hostPath")?.Default("type", "");
        foreach (var source in volume.Object("projected").Array("sources").Objects())
        {
            source.Object("serviceAccountToken")?.Default("expirationSeconds", 3600);
        }
    }

    private static string PullPolicy(string image)
    {
        var name = image[(image.LastIndexOf('/') + 1)..];
        if (name.Contains('@', StringComparison.Ordinal))
        {
            return "IfNotPresent";
        }
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 || name[(colon + 1)..] == "latest" ? "Always" : "IfNotPresent";
    }
}
