namespace KubeLB.EmbeddedCluster.Cel;

/// <summary>Parses expressions of the Common Expression Language by recursive descent.</summary>
/// <remarks>The grammar: https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax</remarks>
internal sealed class CelParser
{
    /// <summary>Limit of nested expressions, like cel-go's: deeper ones would exhaust the stack.</summary>
    private const int MaxDepth = 250;

    /// <summary>Limit of the length of an expression in characters, like cel-go's.</summary>
    private const int MaxLength = 100_000;

    private static readonly HashSet<string> Keywords = ["true", "false", "null", "in"];

    private static readonly HashSet<string> Reserved =
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ];

    private readonly List<CelToken> _tokens;
    private int _at;
    private int _depth;

    private CelParser(List<CelToken> tokens) => _tokens = tokens;

    /// <exception cref="CelCompileException">The expression is not valid CEL.</exception>
    public static CelSyntax Parse(string source)
    {
        if (source.Length > MaxLength)
        {
            throw new CelCompileException(0, $"expression size exceeds limit: size: {source.Length}, limit {MaxLength}");
        }
        var parser = new CelParser(new CelLexer(source).Read());
        var expression = parser.Expression();
        return parser.Current.Kind == CelTokenKind.End ? expression : throw parser.Unexpected("<EOF>");
    }

    /// <summary>Whether a name cannot be used in expressions without escaping.</summary>
    public static bool IsReserved(string name) => Keywords.Contains(name) || Reserved.Contains(name);

    private CelToken Current => _tokens[_at];

    private bool Is(string symbol) => Current.Kind == CelTokenKind.Symbol && Current.Text == symbol;

    private bool Take(string symbol)
    {
        if (!Is(symbol))
        {
            return false;
        }
        _at++;
        return true;
    }

    private void Expect(string symbol)
    {
        if (!Take(symbol))
        {
            throw Unexpected($"'{symbol}'");
        }
    }

    private CelCompileException Unexpected(string expected) =>
        new(Current.Position, $"Syntax error: mismatched input '{Current.Text}' expecting {expected}");

    private CelSyntax Expression()
    {
        if (++_depth > MaxDepth)
        {
            throw new CelCompileException(Current.Position, $"expression recursion limit exceeded: {MaxDepth}");
        }
        var condition = Logic(isAnd: false);
        if (Is("?"))
        {
            var position = Current.Position;
            _at++;
            var then = Logic(isAnd: false);
            Expect(":");
            condition = new CelConditional(position, condition, then, Expression());
        }
        _depth--;
        return condition;
    }

    private CelSyntax Logic(bool isAnd)
    {
        var first = isAnd ? Relation() : Logic(isAnd: true);
        var symbol = isAnd ? "&&" : "||";
        if (!Is(symbol))
        {
            return first;
        }
        var position = Current.Position;
        var operands = new List<CelSyntax> { first };
        while (Take(symbol))
        {
            operands.Add(isAnd ? Relation() : Logic(isAnd: true));
        }
        return new CelLogic(position, isAnd, operands);
    }

    private CelSyntax Relation()
    {
        var left = Sum();
        for (var chain = 0; ; chain++)
        {
            var symbol = Current.Text;
            var isOperator =
                Current.Kind == CelTokenKind.Symbol && symbol is "<" or "<=" or ">" or ">=" or "==" or "!="
                || Current.Kind == CelTokenKind.Identifier && symbol == "in";
            if (!isOperator)
            {
                return left;
            }
            var position = Chain(chain);
            left = new CelOperator(position, symbol, [left, Sum()]);
        }
    }

    private CelSyntax Sum()
    {
        var left = Product();
        for (var chain = 0; Is("+") || Is("-"); chain++)
        {
            var symbol = Current.Text;
            var position = Chain(chain);
            left = new CelOperator(position, symbol, [left, Product()]);
        }
        return left;
    }

    private CelSyntax Product()
    {
        var left = Unary();
        for (var chain = 0; Is("*") || Is("/") || Is("%"); chain++)
        {
            var symbol = Current.Text;
            var position = Chain(chain);
            left = new CelOperator(position, symbol, [left, Unary()]);
        }
        return left;
    }

    /// <summary>Takes the operator of a left-associative chain, which nests as deep as it is long.</summary>
    private int Chain(int length)
    {
        var position = Current.Position;
        if (length >= MaxDepth)
        {
            throw new CelCompileException(position, $"expression recursion limit exceeded: {MaxDepth}");
        }
        _at++;
        return position;
    }

    private CelSyntax Unary()
    {
        if (!Is("!") && !Is("-"))
        {
            return Member();
        }
        var symbol = Current.Text;
        var position = Current.Position;
        var isOdd = false;
        while (Take(symbol))
        {
            isOdd = !isOdd;
        }
        if (symbol == "-" && isOdd && Current is { Kind: CelTokenKind.Literal, Value: CelSmallestInteger })
        {
            _at++;
            return new CelLiteral(position, long.MinValue);
        }
        var operand = Member();
        // A double negation still requires an operand of the operator's type.
        CelSyntax result = new CelOperator(position, symbol, [operand]);
        return isOdd ? result : new CelOperator(position, symbol, [result]);
    }

    private CelSyntax Member()
    {
        var operand = Primary();
        for (var chain = 0; ; chain++)
        {
            if (Is("."))
            {
                Chain(chain);
                operand = AfterDot(operand);
            }
            else if (Is("["))
            {
                var position = Chain(chain);
                var isOptional = Take("?");
                var index = Expression();
                Expect("]");
                operand = new CelIndex(position, operand, index, isOptional);
            }
            else if (Is("{") && operand is CelIdentifier or CelSelect)
            {
                throw new CelCompileException(Current.Position, "construction of messages is not supported");
            }
            else
            {
                return operand;
            }
        }
    }

    private CelSyntax AfterDot(CelSyntax operand)
    {
        var isOptional = Take("?");
        var name = Current;
        if (name.Kind != CelTokenKind.Identifier || name.Text == "in")
        {
            throw Unexpected("IDENTIFIER");
        }
        _at++;
        if (isOptional || !Take("("))
        {
            return new CelSelect(name.Position, operand, name.Text, IsTest: false, isOptional);
        }
        var arguments = Arguments(")");
        return (CelSyntax?)Macro(name, operand, arguments) ?? new CelCall(name.Position, name.Text, operand, arguments);
    }

    private static CelMacro? Macro(CelToken name, CelSyntax range, List<CelSyntax> arguments)
    {
        var (minimum, maximum) = name.Text switch
        {
            "all" or "exists" or "exists_one" or "existsOne" or "filter" or "optMap" or "optFlatMap" => (2, 2),
            "map" => (2, 3),
            _ => (-1, -1),
        };
        if (arguments.Count < minimum || arguments.Count > maximum)
        {
            return null;
        }
        if (arguments[0] is not CelIdentifier variable)
        {
            throw new CelCompileException(arguments[0].Position, "argument must be a simple name");
        }
        var filter = arguments.Count == 3 ? arguments[1] : null;
        var macro = name.Text == "existsOne" ? "exists_one" : name.Text;
        return new CelMacro(name.Position, macro, range, variable.Name, filter, arguments[^1]);
    }

    private CelSyntax Primary()
    {
        var token = Current;
        switch (token.Kind)
        {
            case CelTokenKind.Literal when token.Value is CelSmallestInteger:
                throw new CelCompileException(token.Position, "Syntax error: invalid int literal");
            case CelTokenKind.Literal:
                _at++;
                return new CelLiteral(token.Position, token.Value);
            case CelTokenKind.Identifier:
                return Named(token);
            case CelTokenKind.Symbol when Take("("):
                var inner = Expression();
                Expect(")");
                return inner;
            case CelTokenKind.Symbol when Take("["):
                return new CelListLiteral(token.Position, Arguments("]"));
            case CelTokenKind.Symbol when Take("{"):
                return MapLiteral(token.Position);
            case CelTokenKind.Symbol when Is(".") && _tokens[_at + 1].Kind == CelTokenKind.Identifier:
                _at++;
                return Named(Current);
            default:
                throw new CelCompileException(token.Position, $"Syntax error: unexpected '{token.Text}', an expression was expected");
        }
    }

    private CelSyntax Named(CelToken token)
    {
        _at++;
        switch (token.Text)
        {
            case "true" or "false":
                return new CelLiteral(token.Position, token.Text == "true");
            case "null":
                return new CelLiteral(token.Position, null);
            case "in":
                throw new CelCompileException(token.Position, "Syntax error: unexpected 'in', an expression was expected");
        }
        if (Reserved.Contains(token.Text))
        {
            throw new CelCompileException(token.Position, $"reserved identifier: {token.Text}");
        }
        if (!Take("("))
        {
            return new CelIdentifier(token.Position, token.Text);
        }
        var arguments = Arguments(")");
        if (token.Text == "has" && arguments.Count == 1)
        {
            return arguments[0] is CelSelect { IsTest: false, IsOptional: false } select
                ? select with
                {
                    IsTest = true,
                }
                : throw new CelCompileException(token.Position, "invalid argument to has() macro");
        }
        return new CelCall(token.Position, token.Text, null, arguments);
    }

    private List<CelSyntax> Arguments(string end)
    {
        var items = new List<CelSyntax>();
        while (!Take(end))
        {
            if (Is("?"))
            {
                throw new CelCompileException(Current.Position, "optional elements in list literals are not supported");
            }
            items.Add(Expression());
            if (!Is(end) && !Is(","))
            {
                throw Unexpected($"'{end}'");
            }
            // A trailing comma is only valid in lists.
            if (Take(",") && end == ")" && Is(end))
            {
                throw Unexpected("an expression");
            }
        }
        return items;
    }

    private CelMapLiteral MapLiteral(int position)
    {
        var entries = new List<(CelSyntax, CelSyntax)>();
        while (!Take("}"))
        {
            if (Is("?"))
            {
                throw new CelCompileException(Current.Position, "optional entries in map literals are not supported");
            }
            var key = Expression();
            Expect(":");
            entries.Add((key, Expression()));
            if (!Take(",") && !Is("}"))
            {
                throw Unexpected("'}'");
            }
        }
        return new CelMapLiteral(position, entries);
    }
}

/// <summary>Escapes property names that are not identifiers of the language, as Kubernetes does.</summary>
internal static class CelNames
{
    /// <summary>The name of a property in expressions; null if expressions cannot access it.</summary>
    public static string? Escape(string name)
    {
        if (name.Length == 0 || char.IsAsciiDigit(name[0]))
        {
            return null;
        }
        if (CelParser.IsReserved(name))
        {
            return $"__{name}__";
        }
        var escaped = new System.Text.StringBuilder(name.Length);
        for (var i = 0; i < name.Length; i++)
        {
            var c = name[i];
            if (c == '_' && i + 1 < name.Length && name[i + 1] == '_')
            {
                escaped.Append("__underscores__");
                i++;
            }
            else if (c is '.' or '-' or '/')
            {
                escaped.Append(
                    c == '.' ? "__dot__"
                    : c == '-' ? "__dash__"
                    : "__slash__"
                );
            }
            else if (char.IsAsciiLetterOrDigit(c) || c == '_')
            {
                escaped.Append(c);
            }
            else
            {
                return null;
            }
        }
        return escaped.ToString();
    }
}
