namespace KubeLB.EmbeddedCluster.Selectors;

/// <summary>The operator of a label requirement.</summary>
internal enum LabelOperator
{
    Exists,
    DoesNotExist,
    In,
    NotIn,
    GreaterThan,
    LessThan,
}
