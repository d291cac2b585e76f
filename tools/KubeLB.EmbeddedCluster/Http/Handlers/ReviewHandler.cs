using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Json;
using KubeLB.EmbeddedCluster.Resources;
using KubeLB.EmbeddedCluster.Security;
using KubeLB.EmbeddedCluster.Storage;

namespace KubeLB.EmbeddedCluster.Http.Handlers;

/// <summary>Handles access reviews, self reviews, token reviews and token requests.</summary>
internal sealed class ReviewHandler(
    ResourceRegistry registry,
    ClusterStore store,
    RbacPolicy policy,
    Authenticator authenticator,
    TokenIssuer issuer,
    TimeProvider time
)
{
    private const long DefaultSeconds = 3600;
    private const long MinSeconds = 600;
    private const long MaxSeconds = 1L << 32;

    public static bool Handles(ResourceDefinition resource) => resource.Group is "authorization.k8s.io" or "authentication.k8s.io";

    public async Task ReviewAsync(ApiRequest request)
    {
        if (request.Info.Verb != "create")
        {
            throw ApiErrors.MethodNotAllowed(request.Info.Verb, request.Resource.Group, request.Resource.Plural);
        }
        var review = await BodyObject.ReadAsync(request, registry, request.WriteOptions());
        review.Ensure("metadata");
        if (request.Resource.Plural.EndsWith("subjectaccessreviews", StringComparison.Ordinal))
        {
            Validate(request, review.Object("spec"));
        }
        review["status"] = request.Resource.Plural switch
        {
            "selfsubjectaccessreviews" => Access(request.User, review.Object("spec")),
            "subjectaccessreviews" or "localsubjectaccessreviews" => Access(SubjectOf(review.Object("spec")), review.Object("spec")),
            "selfsubjectrulesreviews" => Rules(request.User, review.Object("spec")),
            "tokenreviews" => Token(review.Object("spec")),
            _ => new JsonObject { ["userInfo"] = Describe(request.User) },
        };
        await ResponseWriting.JsonAsync(request.Context, 201, review);
    }

    /// <summary>Handles <c>serviceaccounts/NAME/token</c>.</summary>
    public async Task TokenAsync(ApiRequest request)
    {
        if (request.Info.Verb != "create")
        {
            throw ApiErrors.MethodNotAllowed();
        }
        var account =
            store.Table("", "serviceaccounts").Find(request.Namespace, request.Info.Name)
            ?? throw ApiErrors.NotFound("", "serviceaccounts", request.Info.Name);
        var type = registry.Find("authentication.k8s.io", "v1", "tokenreviews")! with
        {
            Kind = "TokenRequest",
            Type = Typing.TypeSchema.Of(typeof(k8s.Models.Authenticationv1TokenRequest)),
        };
        var body = await BodyObject.ReadAsync(request with { Resource = type }, registry, request.WriteOptions());
        var spec = body.Ensure("spec");
        var seconds = spec.Integer("expirationSeconds") ?? DefaultSeconds;
        if (seconds < MinSeconds)
        {
            throw ApiErrors.Invalid(
                "authentication.k8s.io",
                "TokenRequest",
                "",
                [FieldError.Invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")]
            );
        }
        if (seconds > MaxSeconds)
        {
            throw ApiErrors.Invalid(
                "authentication.k8s.io",
                "TokenRequest",
                "",
                [FieldError.Invalid("spec.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds")]
            );
        }
        var audiences = spec.Array("audiences").Strings().ToList();
        if (audiences.Count == 0)
        {
            audiences.Add(TokenIssuer.Issuer);
        }
        var expires = time.GetUtcNow().AddSeconds(seconds);
        spec["expirationSeconds"] = seconds;
        spec["audiences"] = new JsonArray([.. audiences.Select(audience => JsonValue.Create(audience))]);
        var metadata = body.Ensure("metadata");
        metadata["name"] = account.Name;
        metadata["namespace"] = account.Namespace;
        metadata["creationTimestamp"] = Writing.Timestamps.Now(time);
        body["status"] = new JsonObject
        {
            ["token"] = issuer.Issue(new TokenClaims(account.Namespace, account.Name, account.Uid, null, expires, audiences)),
            ["expirationTimestamp"] = expires.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"),
        };
        body["kind"] = "TokenRequest";
        body["apiVersion"] = "authentication.k8s.io/v1";
        await ResponseWriting.JsonAsync(request.Context, 201, body);
    }

    private JsonObject Access(UserInfo user, JsonObject? spec)
    {
        var resource = spec.Object("resourceAttributes");
        var path = spec.Object("nonResourceAttributes");
        var access = path is not null
            ? new AccessAttributes { Verb = path.Text("verb") ?? "", Path = path.Text("path") ?? "" }
            : new AccessAttributes
            {
                Verb = resource.Text("verb") ?? "",
                Group = resource.Text("group") ?? "",
                Resource = resource.Text("resource") ?? "",
                Subresource = resource.Text("subresource") ?? "",
                Namespace = resource.Text("namespace") ?? "",
                Name = resource.Text("name") ?? "",
            };
        var allowed = policy.Allows(user, access);
        var status = new JsonObject { ["allowed"] = allowed };
        if (allowed && !user.IsInMasters)
        {
            status["reason"] = $"RBAC: allowed for user {FieldError.Quote(user.Name)}";
        }
        return status;
    }

    private static UserInfo SubjectOf(JsonObject? spec) =>
        new(spec.Text("user") ?? "", [.. spec.Array("groups").Strings()], spec.Text("uid") ?? "");

    private JsonObject Rules(UserInfo user, JsonObject? spec)
    {
        var rules = user.IsInMasters
            ? [new PolicyRule(["*"], ["*"], ["*"], [], []), new PolicyRule(["*"], [], [], [], ["*"])]
            : policy.Rules(user, spec.Text("namespace") ?? "").ToList();
        return new JsonObject
        {
            ["resourceRules"] = new JsonArray([
                .. rules.Where(rule => rule.Resources.Length > 0).Select(rule => (JsonNode)ResourceRule(rule)),
            ]),
            ["nonResourceRules"] = new JsonArray([
                .. rules
                    .Where(rule => rule.Paths.Length > 0)
                    .Select(rule =>
                        (JsonNode)new JsonObject { ["verbs"] = Strings(rule.Verbs), ["nonResourceURLs"] = Strings(rule.Paths) }
                    ),
            ]),
            ["incomplete"] = false,
        };
    }

    private static JsonObject ResourceRule(PolicyRule rule)
    {
        var result = new JsonObject
        {
            ["verbs"] = Strings(rule.Verbs),
            ["apiGroups"] = Strings(rule.Groups),
            ["resources"] = Strings(rule.Resources),
        };
        if (rule.Names.Length > 0)
        {
            result["resourceNames"] = Strings(rule.Names);
        }
        return result;
    }

    private JsonObject Token(JsonObject? spec)
    {
        var token = spec.Text("token");
        if (string.IsNullOrEmpty(token))
        {
            throw ApiErrors.BadRequest("token is required for TokenReview in authentication");
        }
        var audiences = spec.Array("audiences").Strings().ToList();
        return authenticator.FromToken(token, audiences.Count > 0 ? audiences : Authenticator.ApiAudiences) is { } found
            ? new JsonObject
            {
                ["authenticated"] = true,
                ["user"] = Describe(found.User),
                ["audiences"] = Strings(found.Audiences),
            }
            : new JsonObject { ["user"] = new JsonObject(), ["error"] = "invalid bearer token" };
    }

    // https://github.com/kubernetes/kubernetes/blob/v1.34.0/pkg/apis/authorization/validation/validation.go
    private static void Validate(ApiRequest request, JsonObject? spec)
    {
        var errors = new List<FieldError>();
        var path = spec.Object("nonResourceAttributes");
        if (spec.Object("resourceAttributes") is null)
        {
            if (path is null)
            {
                errors.Add(
                    FieldError.Invalid(
                        "spec.resourceAttributes",
                        (JsonNode?)null,
                        "exactly one of nonResourceAttributes or resourceAttributes must be specified"
                    )
                );
            }
        }
        else if (path is not null)
        {
            errors.Add(
                FieldError.Invalid(
                    "spec.nonResourceAttributes",
                    path.DeepClone(),
                    "cannot be specified in combination with resourceAttributes"
                )
            );
        }
        if (
            request.Resource.Plural != "selfsubjectaccessreviews"
            && string.IsNullOrEmpty(spec.Text("user"))
            && !spec.Array("groups").Strings().Any()
        )
        {
            errors.Add(FieldError.Invalid("spec.user", "", "at least one of user or group must be specified"));
        }
        if (errors.Count > 0)
        {
            throw ApiErrors.Invalid(request.Resource.Group, request.Resource.Kind, "", errors);
        }
    }

    private static JsonObject Describe(UserInfo user)
    {
        var result = new JsonObject { ["username"] = user.Name, ["groups"] = Strings(user.Groups) };
        if (user.Uid.Length > 0)
        {
            result["uid"] = user.Uid;
        }
        return result;
    }

    private static JsonArray Strings(IEnumerable<string> values) => [.. values.Select(value => JsonValue.Create(value))];
}
