namespace KubeLB.EmbeddedCluster.Errors;

/// <summary>The error responses of kube-apiserver, verbatim (apimachinery <c>api/errors</c>).</summary>
internal static class ApiErrors
{
    public static ApiException NotFound(string group, string resource, string name) =>
        new(new ApiStatus(404, "NotFound", $"{Qualified(resource, group)} \"{name}\" not found", new StatusDetails(name, group, resource)));

    public static ApiException AlreadyExists(string group, string resource, string name) =>
        new(
            new ApiStatus(
                409,
                "AlreadyExists",
                $"{Qualified(resource, group)} \"{name}\" already exists",
                new StatusDetails(name, group, resource)
            )
        );

    public static ApiException Conflict(string group, string resource, string name, string detail) =>
        new(
            new ApiStatus(
                409,
                "Conflict",
                $"Operation cannot be fulfilled on {Qualified(resource, group)} \"{name}\": {detail}",
                new StatusDetails(name, group, resource)
            )
        );

    public static ApiException Modified(string group, string resource, string name) =>
        Conflict(group, resource, name, "the object has been modified; please apply your changes to the latest version and try again");

    public static ApiException Invalid(string group, string kind, string name, IReadOnlyList<FieldError> errors)
    {
        var messages = errors.Select(error => error.ToString()).Distinct(StringComparer.Ordinal).ToList();
        var list = messages.Count == 1 ? messages[0] : $"[{string.Join(", ", messages)}]";
        var head = $"{Qualified(kind, group)} \"{name}\" is invalid";
        return new ApiException(
            new ApiStatus(
                422,
                "Invalid",
                messages.Count == 0 ? head : $"{head}: {list}",
                new StatusDetails(name, group, kind, Causes: errors)
            )
        );
    }

    public static ApiException BadRequest(string message) => new(new ApiStatus(400, "BadRequest", message));

    public static ApiException Unauthorized() => new(new ApiStatus(401, "Unauthorized", "Unauthorized"));

    public static ApiException Forbidden(
        string group,
        string resource,
        string name,
        string detail,
        IReadOnlyList<FieldError>? causes = null
    )
    {
        var qualified = Qualified(resource, group);
        var message = name.Length == 0 ? $"{qualified} is forbidden: {detail}" : $"{qualified} \"{name}\" is forbidden: {detail}";
        return new ApiException(new ApiStatus(403, "Forbidden", message, new StatusDetails(name, group, resource, Causes: causes)));
    }

    /// <summary>A failed json-patch test, and other requests that the server rejects without details.</summary>
    public static ApiException Unprocessable() =>
        new(new ApiStatus(422, "Invalid", "the server rejected our request due to an error in our request", new StatusDetails()));

    public static ApiException Expired(string message) => new(new ApiStatus(410, "Expired", message));

    public static ApiException MethodNotAllowed(string verb, string group, string resource) =>
        new(
            new ApiStatus(
                405,
                "MethodNotAllowed",
                $"{verb} is not supported on resources of kind \"{Qualified(resource, group)}\"",
                new StatusDetails(null, group, resource)
            )
        );

    /// <summary>A method or path that no handler is registered for.</summary>
    public static ApiException MethodNotAllowed() =>
        new(new ApiStatus(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", new StatusDetails()));

    public static ApiException UnsupportedPatch(params IEnumerable<string> accepted) =>
        new(
            new ApiStatus(
                415,
                "UnsupportedMediaType",
                $"the body of the request was in an unknown format - accepted media types include: {string.Join(", ", accepted)}"
            )
        );

    public static ApiException UnsupportedMediaType() =>
        new(new ApiStatus(415, "UnsupportedMediaType", "415: Unsupported Media Type", new StatusDetails()));

    public static ApiException NotAcceptable(params IEnumerable<string> accepted) =>
        new(new ApiStatus(406, "NotAcceptable", $"only the following media types are accepted: {string.Join(", ", accepted)}"));

    public static ApiException TooLarge(long limit) =>
        new(new ApiStatus(413, "RequestEntityTooLarge", $"Request entity too large: limit is {limit}"));

    public static ApiException TooManyRequests(int retryAfterSeconds) =>
        new(
            new ApiStatus(
                429,
                "TooManyRequests",
                "the server has received too many requests and has asked us to try again later",
                new StatusDetails(RetryAfterSeconds: retryAfterSeconds)
            )
        );

    public static ApiException Internal(string message) =>
        new(
            new ApiStatus(
                500,
                "InternalError",
                $"Internal error occurred: {message}",
                new StatusDetails(Causes: [new FieldError("", "", message)])
            )
        );

    /// <summary>A pod that the server cannot connect to.</summary>
    public static ApiException Unreachable(string problem) =>
        new(new ApiStatus(503, "ServiceUnavailable", $"error trying to reach service: {problem}"));

    /// <summary>A resource or kind with its group, as printed by Kubernetes.</summary>
    public static string Qualified(string name, string group) => group.Length == 0 ? name : $"{name}.{group}";
}
