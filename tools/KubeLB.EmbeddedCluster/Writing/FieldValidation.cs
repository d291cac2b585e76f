namespace KubeLB.EmbeddedCluster.Writing;

/// <summary>How unknown members are handled.</summary>
internal enum FieldValidation
{
    Ignore,
    Warn,
    Strict,
}
