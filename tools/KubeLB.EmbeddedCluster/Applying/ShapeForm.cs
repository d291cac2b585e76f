namespace KubeLB.EmbeddedCluster.Applying;

/// <summary>The forms of a <see cref="FieldShape"/>.</summary>
internal enum ShapeForm
{
    Scalar,
    Map,
    List,

    /// <summary>Whatever the value is.</summary>
    Deduced,
}
