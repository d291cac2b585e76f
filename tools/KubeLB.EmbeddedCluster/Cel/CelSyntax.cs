namespace KubeLB.EmbeddedCluster.Cel;

/// <summary>A node of a parsed expression; macros are already expanded to <see cref="CelMacro"/>.</summary>
/// <param name="Position">Index of the node's first character in the source.</param>
internal abstract record CelSyntax(int Position);

/// <summary>A literal: null, bool, long, ulong, double, string or byte[].</summary>
internal sealed record CelLiteral(int Position, object? Value) : CelSyntax(Position);

/// <summary>A variable.</summary>
internal sealed record CelIdentifier(int Position, string Name) : CelSyntax(Position);

/// <summary>A field of an object or an entry of a map.</summary>
/// <param name="Position">Index of the field name.</param>
/// <param name="Operand">The object.</param>
/// <param name="Field">The field name, as escaped in the source.</param>
/// <param name="IsTest">Whether only the presence of the field is tested: the macro <c>has</c>.</param>
/// <param name="IsOptional">Whether the result is an optional value: <c>a.?b</c>.</param>
internal sealed record CelSelect(int Position, CelSyntax Operand, string Field, bool IsTest, bool IsOptional) : CelSyntax(Position);

/// <summary>An element of a list or map.</summary>
internal sealed record CelIndex(int Position, CelSyntax Operand, CelSyntax Index, bool IsOptional) : CelSyntax(Position);

/// <summary>A call of a function or method.</summary>
internal sealed record CelCall(int Position, string Function, CelSyntax? Receiver, IReadOnlyList<CelSyntax> Arguments)
    : CelSyntax(Position);

/// <summary>A unary or binary operator with strict operands.</summary>
internal sealed record CelOperator(int Position, string Symbol, IReadOnlyList<CelSyntax> Operands) : CelSyntax(Position);

/// <summary>A chain of <c>&amp;&amp;</c> or <c>||</c>.</summary>
internal sealed record CelLogic(int Position, bool IsAnd, IReadOnlyList<CelSyntax> Operands) : CelSyntax(Position);

/// <summary>The ternary operator.</summary>
internal sealed record CelConditional(int Position, CelSyntax Condition, CelSyntax Then, CelSyntax Otherwise) : CelSyntax(Position);

/// <summary>A list literal.</summary>
internal sealed record CelListLiteral(int Position, IReadOnlyList<CelSyntax> Items) : CelSyntax(Position);

/// <summary>A map literal.</summary>
internal sealed record CelMapLiteral(int Position, IReadOnlyList<(CelSyntax Key, CelSyntax Value)> Entries) : CelSyntax(Position);

/// <summary>A macro that evaluates its body for each element of a list or key of a map, or for the value of an optional.</summary>
/// <param name="Position">Index of the macro's name.</param>
/// <param name="Name">The macro: all, exists, exists_one, filter, map, optMap, optFlatMap.</param>
/// <param name="Range">The list, map or optional.</param>
/// <param name="Variable">Name of the iteration variable.</param>
/// <param name="Filter">Only in <c>map</c> with three arguments: the elements to transform.</param>
/// <param name="Body">The expression per element.</param>
internal sealed record CelMacro(int Position, string Name, CelSyntax Range, string Variable, CelSyntax? Filter, CelSyntax Body)
    : CelSyntax(Position);

/// <summary>An expression that cannot be parsed or does not fit the types of its variables.</summary>
/// <param name="position">Index of the cause in the source.</param>
/// <param name="message">The cause.</param>
internal sealed class CelCompileException(int position, string message) : Exception(message)
{
    /// <summary>Index of the cause in the source.</summary>
    public int Position { get; } = position;

    /// <summary>The error with the source line and a marker, in the format of cel-go.</summary>
    public string Describe(string source)
    {
        var at = Math.Clamp(Position, 0, source.Length);
        var start = source.AsSpan(0, at).LastIndexOf('\n') + 1;
        var end = source.IndexOf('\n', at) is var next and >= 0 ? next : source.Length;
        var line = source.AsSpan(0, start).Count('\n') + 1;
        var column = at - start;
        return $"ERROR: <input>:{line}:{column + 1}: {Message}\n | {source[start..end]}\n | {new string('.', column)}^";
    }
}
