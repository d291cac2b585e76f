namespace KubeLB.Translation.Fields;

/// <summary>What the manager does with a field of a tenant's object.</summary>
internal enum FieldDecision
{
    /// <summary>Copied to the generated object.</summary>
    Passed,

    /// <summary>Copied to the generated object after KubeLB has validated it; an invalid value rejects the object.</summary>
    Checked,

    /// <summary>Replaced by a value of the management cluster.</summary>
    Rewritten,

    /// <summary>Not copied; the condition <c>FieldsIgnored</c> reports it.</summary>
    Ignored,

    /// <summary>Not copied; an object with this field is rejected.</summary>
    Rejected,
}

/// <summary>The decision about a field, and about the fields below it that have no decision of their own.</summary>
/// <param name="Path">The field without indexes of lists, for example <c>spec.listeners.name</c>.</param>
/// <param name="Decision">The decision.</param>
/// <param name="Note">
/// How the value is validated or replaced, or why it is ignored or rejected; empty for <see cref="FieldDecision.Passed"/>.
/// </param>
internal sealed record FieldRule(string Path, FieldDecision Decision, string Note = "")
{
    /// <summary>For <see cref="FieldDecision.Rejected"/>: the reason of the condition Accepted.</summary>
    public string Reason { get; init; } = "";

    /// <summary>For <see cref="FieldDecision.Rewritten"/>: the value is an object, which is replaced as a whole.</summary>
    internal bool IsReplacedObject { get; init; }
}

/// <summary>
/// The decisions about all fields in the spec of a kind. A field without a decision is ignored and reported, because it may be a reference
/// to an object of others.
/// </summary>
internal sealed class FieldTable
{
    /// <summary>
    /// The last name of a path for the fields at this place, and below it, that have no decision of their own. Without it they are ignored.
    /// </summary>
    public const string AnyOther = "*";

    internal FieldTable(string kind, IEnumerable<FieldRule> rules)
    {
        Kind = kind;
        Rules = [.. rules];
        foreach (var rule in Rules)
        {
            var node = Root;
            foreach (var name in rule.Path.Split('.').Skip(1))
            {
                node = node.GetOrAdd(name);
            }

            node.Rule = rule;
        }
    }

    /// <summary>The kind.</summary>
    public string Kind { get; }

    /// <summary>The decisions in the order of the documentation.</summary>
    public IReadOnlyList<FieldRule> Rules { get; }

    /// <summary>The node of <c>spec</c>.</summary>
    internal FieldNode Root { get; } = new();

    /// <summary>The decision about a field: its own, or that of the closest field above it; null if there is none.</summary>
    /// <param name="path">The field without indexes of lists, for example <c>spec.listeners.name</c>.</param>
    public FieldRule? RuleOf(string path)
    {
        var (node, rule) = (Root, (FieldRule?)null);
        foreach (var name in path.Split('.').Skip(1))
        {
            if (node.Find(name) is not { } child)
            {
                // Below a field with subfields of its own, an unknown name has no decision.
                return node.HasFields ? null : rule;
            }

            node = child;
            rule = node.Rule ?? rule;
        }

        return rule;
    }
}

/// <summary>A field in the tree of a <see cref="FieldTable"/>.</summary>
internal sealed class FieldNode
{
    private readonly Dictionary<string, FieldNode> _fields = new(StringComparer.Ordinal);

    public FieldRule? Rule { get; set; }

    public bool HasFields => _fields.Count > 0;

    public FieldNode? Find(string name) => _fields.GetValueOrDefault(name);

    public FieldNode GetOrAdd(string name) => _fields.TryGetValue(name, out var field) ? field : _fields[name] = new FieldNode();
}
