namespace KubeLB.EmbeddedCluster;

/// <summary>
/// How CEL rules (<c>x-kubernetes-validations</c>) in the schemas of CustomResourceDefinitions are handled. They are not evaluated.
/// </summary>
/// <remarks>https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules</remarks>
public enum ValidationRules
{
    /// <summary>
    /// The rules are stored and ignored, with a warning when the definition is created. Objects that violate a rule are accepted.
    /// </summary>
    Ignore,

    /// <summary>An object with a value that has a rule is rejected (422 Invalid) with the path of the value, valid or not.</summary>
    Refuse,
}
