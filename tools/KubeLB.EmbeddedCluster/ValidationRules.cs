namespace KubeLB.EmbeddedCluster;

/// <summary>
/// What becomes of CEL rules (<c>x-kubernetes-validations</c>) in the schemas of CustomResourceDefinitions, which are not evaluated.
/// </summary>
/// <remarks>https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules</remarks>
public enum ValidationRules
{
    /// <summary>
    /// They are stored and have no effect; who creates such a definition is warned. An object that breaks a rule is let in.
    /// </summary>
    Ignore,

    /// <summary>
    /// An object with a value that a rule is about is refused (422 Invalid) with the value's path, whether it keeps the rule or not.
    /// </summary>
    Refuse,
}
