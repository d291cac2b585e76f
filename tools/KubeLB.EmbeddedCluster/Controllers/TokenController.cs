using System.Text;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Security;
using KubeLB.EmbeddedCluster.Storage;
using KubeLB.EmbeddedCluster.Writing;

namespace KubeLB.EmbeddedCluster.Controllers;

/// <summary>
/// Populates Secrets of type <c>kubernetes.io/service-account-token</c>, and deletes those whose ServiceAccount does not exist.
/// </summary>
internal sealed class TokenController(
    ClusterStore store,
    ResourceRegistry registry,
    ObjectUpdater updater,
    ObjectDeleter deleter,
    TokenIssuer issuer,
    string caPem
) : IClusterController
{
    private const string TokenType = "kubernetes.io/service-account-token";
    private const string NameAnnotation = "kubernetes.io/service-account.name";
    private const string UidAnnotation = "kubernetes.io/service-account.uid";

    private readonly ResourceTable _accounts = store.Table("", "serviceaccounts");
    private readonly ResourceTable _secrets = store.Table("", "secrets");

    public void Handle(StoreChange change)
    {
        var stored = change.Event.Object;
        if (change.Table == _secrets && change.Event.Type != ChangeType.Deleted)
        {
            Reconcile(stored);
        }
        else if (
            change.Table == _accounts
            && change.Event.Type != ChangeType.Modified
            && _secrets.Current.TryGetValue(stored.Namespace, out var secrets)
        )
        {
            foreach (var secret in secrets.Values)
            {
                Reconcile(secret);
            }
        }
    }

    private void Reconcile(StoredObject secret)
    {
        var tree = secret.ToTree();
        if (tree.Text("type") != TokenType || secret.Identity.IsTerminating)
        {
            return;
        }
        var annotations = tree.Object("metadata").Object("annotations");
        var account = _accounts.Find(secret.Namespace, annotations.Text(NameAnnotation) ?? "");
        var resource = registry.Find("", "v1", "secrets")!;
        if (account is null || (annotations.Text(UidAnnotation) is { Length: > 0 } uid && uid != account.Uid))
        {
            IgnoreConflicts(() =>
                deleter.Delete(resource, secret.Namespace, secret.Name, new DeleteOptions { PreconditionUid = secret.Uid })
            );
            return;
        }
        if (tree.Object("data") is { } data && data.ContainsKey("token") && data.ContainsKey("ca.crt") && data.ContainsKey("namespace"))
        {
            return;
        }
        var token = issuer.Issue(new TokenClaims(account.Namespace, account.Name, account.Uid, secret.Name, null, []));
        IgnoreConflicts(() =>
            updater.Update(
                resource,
                secret.Namespace,
                secret.Name,
                "",
                current =>
                {
                    current.Ensure("metadata").Ensure("annotations")[UidAnnotation] = account.Uid;
                    var filled = current.Ensure("data");
                    filled["ca.crt"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(caPem));
                    filled["namespace"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(account.Namespace));
                    filled["token"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(token));
                    return current;
                },
                new WriteOptions()
            )
        );
    }

    private static void IgnoreConflicts(Action action)
    {
        try
        {
            action();
        }
        catch (ApiException exception) when (exception.Status.Code is 404 or 409)
        {
            // Changed concurrently: that change is queued, too.
        }
    }
}
