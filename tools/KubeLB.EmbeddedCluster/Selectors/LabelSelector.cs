using KubeLB.EmbeddedCluster.Storage;

namespace KubeLB.EmbeddedCluster.Selectors;

/// <summary>A parsed label selector; without requirements it matches everything.</summary>
internal sealed record LabelSelector(IReadOnlyList<LabelRequirement> Requirements)
{
    public static LabelSelector Everything { get; } = new([]);

    public bool IsEverything => Requirements.Count == 0;

    public bool Matches(StoredObject stored)
    {
        foreach (var requirement in Requirements)
        {
            if (!requirement.Matches(stored.Label))
            {
                return false;
            }
        }
        return true;
    }
}
