using k8s;
using k8s.Models;
using KubeLB.Api.GatewayApi;
using KubeLB.Api.Messages;
using KubeLB.Api.Naming;
using KubeLB.Api.V1Alpha1;
using KubeLB.Inspection.Tracing;
using KubeLB.Translation.Attachment;
using KubeLB.Translation.EnvoyGateway;
using KubeLB.Translation.Routes;

namespace KubeLB.Inspection.Dashboard;

/// <summary>Namespace and name of an object, with its kind.</summary>
internal readonly record struct ObjectName(string Kind, string Namespace, string Name);

/// <summary>Rows that changed, with the version of the list after the change.</summary>
/// <param name="Version">The version.</param>
/// <param name="Changed">Rows that are new or have changed.</param>
/// <param name="Removed">Ids of rows that are gone.</param>
internal sealed record RowChanges(long Version, IReadOnlyList<ObjectRow> Changed, IReadOnlyList<string> Removed);

/// <summary>
/// The list of the page. Each change of an object marks its name; <see cref="Update"/> computes the rows of marked names only. Rows have
/// versions, so that a page that lost its connection gets what changed since.
/// </summary>
internal sealed class RowTable(DashboardClusters clusters)
{
    /// <summary>Maximum length of a name on the page.</summary>
    public const int MaxName = 253;

    /// <summary>Maximum length of a message on the page.</summary>
    public const int MaxMessage = 400;

    private const int MaxHostnames = 512;
    private const int MaxRemembered = 10_000;

    private static readonly string[] Kinds = [Gateway.KindName, HttpRoute.KindName, GrpcRoute.KindName];

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (ObjectRow Row, long Version)> _rows = new(StringComparer.Ordinal);
    private readonly Dictionary<ObjectName, List<string>> _idsOf = [];
    private readonly Queue<(string Id, long Version)> _removed = new();
    private readonly Lock _markedGate = new();
    private HashSet<ObjectName> _marked = [];
    private long _version = 1;
    private long _forgotten;

    /// <summary>Marks an object of a tenant.</summary>
    public void Mark(string kind, string @namespace, string name)
    {
        lock (_markedGate)
        {
            _marked.Add(new ObjectName(kind, @namespace, name));
        }
    }

    /// <summary>Marks the object that a Route was copied from.</summary>
    public void Mark(Route route)
    {
        var name = NameOf(route);
        Mark(name.Kind, name.Namespace, name.Name);
    }

    /// <summary>Marks the Gateways and routes of a tenant's cluster.</summary>
    public void MarkAll(WatchedTenant tenant)
    {
        MarkKind<Gateway>(Gateway.KindName);
        MarkKind<HttpRoute>(HttpRoute.KindName);
        MarkKind<GrpcRoute>(GrpcRoute.KindName);

        void MarkKind<T>(string kind)
            where T : class, IKubernetesObject<V1ObjectMeta>
        {
            foreach (var value in tenant.Cluster.Informer<T>().List())
            {
                Mark(kind, value.Metadata.NamespaceProperty, value.Metadata.Name);
            }
        }
    }

    /// <summary>Whether an object is marked.</summary>
    public bool HasMarks
    {
        get
        {
            lock (_markedGate)
            {
                return _marked.Count > 0;
            }
        }
    }

    /// <summary>Computes the rows of marked objects.</summary>
    /// <returns>What changed; null if nothing did.</returns>
    public RowChanges? Update()
    {
        HashSet<ObjectName> marked;
        lock (_markedGate)
        {
            (marked, _marked) = (_marked, []);
        }

        var (changed, removed) = (new List<ObjectRow>(), new List<string>());
        var computed = marked.Select(name => (name, Rows: SafeRowsOf(name))).ToList();
        lock (_gate)
        {
            var version = _version + 1;
            foreach (var (name, rows) in computed)
            {
                foreach (var row in rows.Where(row => !_rows.TryGetValue(row.Id, out var known) || known.Row != row))
                {
                    _rows[row.Id] = (row, version);
                    changed.Add(row);
                }

                foreach (var id in (_idsOf.GetValueOrDefault(name) ?? []).Where(id => !rows.Exists(r => r.Id == id)))
                {
                    _rows.Remove(id);
                    _removed.Enqueue((id, version));
                    removed.Add(id);
                }

                if (rows.Count == 0)
                {
                    _idsOf.Remove(name);
                }
                else
                {
                    _idsOf[name] = [.. rows.Select(r => r.Id)];
                }
            }

            if (changed.Count + removed.Count == 0)
            {
                return null;
            }

            _version = version;
            while (_removed.Count > MaxRemembered)
            {
                _forgotten = _removed.Dequeue().Version;
            }

            return new RowChanges(version, changed, removed);
        }
    }

    /// <summary>All rows.</summary>
    public RowChanges All()
    {
        lock (_gate)
        {
            return new RowChanges(_version, [.. _rows.Values.Select(r => r.Row)], []);
        }
    }

    /// <summary>What changed since a version; null if that is no longer known.</summary>
    public RowChanges? Since(long version)
    {
        lock (_gate)
        {
            return version < _forgotten || version > _version
                ? null
                : new RowChanges(
                    _version,
                    [.. _rows.Values.Where(r => r.Version > version).Select(r => r.Row)],
                    [.. _removed.Where(r => r.Version > version && !_rows.ContainsKey(r.Id)).Select(r => r.Id)]
                );
        }
    }

    private List<ObjectRow> SafeRowsOf(ObjectName name)
    {
        try
        {
            return RowsOf(name);
        }
#pragma warning disable CA1031 // An object of a tenant that no code expected must not end the page for the others.
        catch (Exception e)
#pragma warning restore CA1031
        {
            var message = $"The object cannot be judged: {e.GetType().Name}.";
            return
            [
                new ObjectRow($"{name.Kind}//{name.Namespace}/{name.Name}", null, name.Kind, name.Namespace, name.Name, HopState.Unseen)
                {
                    Message = message,
                },
            ];
        }
    }

    private List<ObjectRow> RowsOf(ObjectName name)
    {
        if (name.Kind == Tenant.KindName)
        {
            return clusters.ManagementCluster?.Informer<Tenant>().Get("", name.Name) is { } tenant ? [RowOf(tenant)] : [];
        }

        if (name.Kind == Route.KindName)
        {
            return clusters.ManagementCluster?.Informer<Route>().Get(name.Namespace, name.Name) is { } route && NameOf(route) == name
                ? [RowOf(name, route.Namespace, null, route)]
                : [];
        }

        var copies = (
            clusters
                .ManagementCluster?.Informer<Route>()
                .ByIndex(WatchedKinds.ByOrigin, RouteOrigin.KeyOf(name.Kind, name.Namespace, name.Name))
            ?? []
        )
            .Where(route => NameOf(route) == name)
            .ToLookup(route => route.Namespace, StringComparer.Ordinal);
        var rows = new List<ObjectRow>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var cluster in clusters.Tenants)
        {
            if (SourceOf(cluster, name) is { } source)
            {
                Identify(cluster, source.Metadata.Uid);
                var ofTenant = cluster.Namespace is { } tenant ? copies[tenant] : [];
                var copy = ofTenant.FirstOrDefault(r => r.Name == source.Metadata.Uid);
                if (copy is not null || IsServed(cluster, source))
                {
                    rows.Add(
                        RowOf(name, cluster.Namespace, source, copy, source is IGatewayRoute route ? MissingParent(cluster, route) : null)
                    );
                }

                seen.Add(cluster.Namespace ?? "");
            }
        }

        rows.AddRange(
            copies
                .Where(ofTenant => !seen.Contains(ofTenant.Key))
                // While an object is recreated, it has two Routes.
                .Select(ofTenant => RowOf(name, ofTenant.Key, null, ofTenant.MaxBy(r => r.Metadata.CreationTimestamp)!))
        );
        return rows;
    }

    // The tenant of a cluster is the one whose namespace has a Route with the uid of an object of the cluster.
    private void Identify(WatchedTenant cluster, string uid)
    {
        if (
            cluster.Namespace is null
            && clusters.ManagementCluster?.Informer<Route>().ByIndex(WatchedKinds.ByUid, uid) is [var route]
            && clusters.Tenants.All(t => t.Namespace != route.Namespace)
        )
        {
            cluster.Namespace = route.Namespace;
            MarkAll(cluster);
        }
    }

    private static IKubernetesObject<V1ObjectMeta>? SourceOf(WatchedTenant cluster, ObjectName name) =>
        name.Kind switch
        {
            Gateway.KindName => cluster.Objects.Get<Gateway>(name.Namespace, name.Name).Value,
            HttpRoute.KindName => cluster.Objects.Get<HttpRoute>(name.Namespace, name.Name).Value,
            _ => cluster.Objects.Get<GrpcRoute>(name.Namespace, name.Name).Value,
        };

    // Objects of other controllers are not listed.
    private static bool IsServed(WatchedTenant cluster, IKubernetesObject<V1ObjectMeta> source)
    {
        if (source is Gateway gateway)
        {
            var name = gateway.Spec?.GatewayClassName ?? "";
            return name == GatewayClass.KubelbName
                || cluster.Objects.Get<GatewayClass>("", name).Value?.Spec?.ControllerName is null or GatewayClass.KubelbController;
        }

        var route = (IGatewayRoute)source;
        if (route.Status?.Parents.Exists(p => p.ControllerName == GatewayClass.KubelbController) == true)
        {
            return true;
        }

        var parents = route.ParentRefs.Where(p => p.RefersToGateway()).Take(16).ToList();
        return parents.Count == 0
            ? route.Status?.Parents is not { Count: > 0 }
            : parents.Exists(p =>
                cluster.Objects.Get<Gateway>(p.Namespace ?? route.Metadata.NamespaceProperty, p.Name).Value is not { } parent
                || IsServed(cluster, parent)
            );
    }

    private static Hop? MissingParent(WatchedTenant cluster, IGatewayRoute route) =>
        route.ParentRefs.Exists(p =>
            cluster.Objects.Get<Gateway>(p.Namespace ?? route.Metadata.NamespaceProperty, p.Name).Unreadable is not null
        )
        || RouteAttachment.MissingParent(route, new TenantObjectsView(cluster.Objects, (_, _) => null, DateTimeOffset.MinValue))
            is not { } missing
            ? null
            : new Hop("Attachment", HopState.Broken) { Reason = missing.Reason, Message = missing.Message };

    // An origin is input of a tenant: without a valid one, the Route itself is listed.
    private static ObjectName NameOf(Route route) =>
        RouteOrigin.Of(route) is { } origin
        && Kinds.Contains(origin.Kind)
        && origin.Namespace.Length is > 0 and <= MaxName
        && origin.Name.Length <= MaxName
        && MessageText.Escape(origin.Namespace + origin.Name) == origin.Namespace + origin.Name
            ? new ObjectName(origin.Kind, origin.Namespace, origin.Name)
            : new ObjectName(Route.KindName, route.Namespace, route.Name);

    private static ObjectRow RowOf(Tenant tenant)
    {
        var (state, problem) = Judge(RowStates.OfTenant(tenant));
        return new ObjectRow($"{Tenant.KindName}/{tenant.Name}", tenant.Name, Tenant.KindName, "", tenant.Name, state)
        {
            Reason = problem?.Reason,
            Message = Short(problem?.Message, MaxMessage),
            Created = tenant.Metadata.CreationTimestamp?.ToUniversalTime(),
        };
    }

    private static ObjectRow RowOf(
        ObjectName name,
        string? tenantNamespace,
        IKubernetesObject<V1ObjectMeta>? source,
        Route? copy,
        Hop? missingParent = null
    )
    {
        var (state, problem) = Judge(
            name.Kind == Gateway.KindName
                ? RowStates.OfGateway((Gateway?)source, copy)
                : RowStates.OfRoute((IGatewayRoute?)source, copy, missingParent)
        );
        var known = source ?? (copy is null ? null : SourceObject.Read(copy).Source?.Value);
        IEnumerable<string?> hostnames = known switch
        {
            IGatewayRoute route => route.Hostnames,
            Gateway gateway => (gateway.Spec?.Listeners ?? []).Select(l => l.Hostname),
            _ => [],
        };
        return new ObjectRow(
            $"{name.Kind}/{tenantNamespace}/{name.Namespace}/{name.Name}",
            tenantNamespace is null ? null : TenantNames.TenantOf(tenantNamespace) ?? tenantNamespace,
            name.Kind,
            name.Namespace,
            name.Name,
            state
        )
        {
            Hostnames = Short(
                string.Join(", ", hostnames.OfType<string>().Where(h => h.Length > 0).Distinct(StringComparer.Ordinal)),
                MaxHostnames
            )!,
            Reason = Short(problem?.Reason, MaxMessage),
            Message = Short(problem?.Message, MaxMessage),
            Created = (source ?? copy)?.Metadata.CreationTimestamp?.ToUniversalTime(),
        };
    }

    private static (HopState State, Hop? Problem) Judge(IEnumerable<Hop> problems)
    {
        var all = problems.ToList();
        var state = Hop.Of("", all).State;
        return (state, all.Find(p => p.State == state));
    }

    private static string? Short(string? text, int length) => text is null ? null : MessageText.Message(text, length);
}
