namespace KubeLB.EmbeddedCluster.Selectors;

/// <summary>How a label selector looks at a label.</summary>
internal enum LabelOperator
{
    Exists,
    DoesNotExist,
    In,
    NotIn,
    GreaterThan,
    LessThan,
}
