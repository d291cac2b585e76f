namespace KubeLB.EmbeddedCluster.Applying;

/// <summary>The kinds of a <see cref="FieldShape"/>.</summary>
internal enum ShapeForm
{
    Scalar,
    Map,
    List,

    /// <summary>Deduced from the value.</summary>
    Deduced,
}
