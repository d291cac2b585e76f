namespace KubeLB.EmbeddedCluster.Writing;

/// <summary>What happens to members that the schema does not know.</summary>
internal enum FieldValidation
{
    Ignore,
    Warn,
    Strict,
}
