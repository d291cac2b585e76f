namespace KubeLB.EmbeddedCluster.Typing;

internal enum ValueForm
{
    Object,
    List,
    Map,
    Text,
    Integer,
    Number,
    Boolean,
    Bytes,
    Time,
    MicroTime,
    IntOrString,
    Quantity,
    Any,
}
