namespace KubeLB.EmbeddedCluster.Cel;

/// <summary>A checked expression that can be evaluated.</summary>
/// <param name="evaluation">The variables and the limit of the cost.</param>
/// <returns>The value, or a <see cref="CelError"/>.</returns>
internal delegate object? CelCode(CelEvaluation evaluation);

/// <summary>A compiled expression.</summary>
/// <param name="Type">The type of its value.</param>
/// <param name="Code">Evaluates it.</param>
/// <param name="VariableCount">The number of variables of an evaluation.</param>
/// <param name="Used">Names of the declared variables that the expression uses.</param>
internal sealed record CelProgram(CelType Type, CelCode Code, int VariableCount, IReadOnlySet<string> Used);

/// <summary>Checks the types of an expression and compiles it.</summary>
internal sealed class CelCompiler
{
    /// <summary>
    /// Limit of the depth of an expression. The parser's limit is per chain of operators, so it does not bound the depth.
    /// </summary>
    private const int MaxDepth = 500;

    private readonly List<(string Name, CelType Type, int Index)> _scope;
    private readonly int _declared;
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);
    private int _variableCount;
    private int _depth;

    private CelCompiler(IReadOnlyList<(string Name, CelType Type)> variables)
    {
        _scope = [.. variables.Select((variable, index) => (variable.Name, variable.Type, index))];
        _declared = variables.Count;
        _variableCount = variables.Count;
    }

    /// <param name="source">The expression.</param>
    /// <param name="variables">The variables; their index in the list is their index in the evaluation.</param>
    /// <exception cref="CelCompileException">The expression is invalid, or uses something that is not supported.</exception>
    public static CelProgram Compile(string source, IReadOnlyList<(string Name, CelType Type)> variables)
    {
        var compiler = new CelCompiler(variables);
        var (type, code) = compiler.Compile(CelParser.Parse(source));
        return new CelProgram(type, code, compiler._variableCount, compiler._used);
    }

    private CelTerm Compile(CelSyntax syntax)
    {
        if (++_depth > MaxDepth)
        {
            throw new CelCompileException(syntax.Position, $"expression depth exceeds limit: {MaxDepth}");
        }
        CelTerm term = syntax switch
        {
            CelLiteral literal => Literal(literal.Value),
            CelIdentifier identifier => Identifier(identifier),
            CelSelect select => Select(select),
            CelIndex index => Index(index),
            CelOperator operation => Operator(operation),
            CelLogic logic => Logic(logic),
            CelConditional conditional => Conditional(conditional),
            CelListLiteral list => ListLiteral(list),
            CelMapLiteral map => MapLiteral(map),
            CelMacro macro => Macro(macro),
            CelCall call => Call(call),
            _ => throw new CelCompileException(syntax.Position, "unsupported expression"),
        };
        _depth--;
        var code = term.Code;
        return syntax is CelLiteral
            ? term
            : term with
            {
                Code = evaluation =>
                {
                    evaluation.Charge(1);
                    return code(evaluation);
                },
            };
    }

    private static CelTerm Literal(object? value)
    {
        var type = CelValue.KindOf(value) switch
        {
            CelKind.Null => CelType.Null,
            CelKind.Bool => CelType.Bool,
            CelKind.Int => CelType.Int,
            CelKind.Uint => CelType.Uint,
            CelKind.Double => CelType.Double,
            CelKind.Bytes => CelType.Bytes,
            _ => CelType.String,
        };
        return new CelTerm(type, _ => value) { Constant = value };
    }

    private CelTerm Identifier(CelIdentifier identifier)
    {
        for (var i = _scope.Count - 1; i >= 0; i--)
        {
            var (name, type, index) = _scope[i];
            if (name == identifier.Name)
            {
                if (index < _declared)
                {
                    _used.Add(name);
                }
                return new CelTerm(type, evaluation => evaluation.Variables[index]);
            }
        }
        throw new CelCompileException(identifier.Position, $"undeclared reference to '{identifier.Name}' (in container '')");
    }

    private CelTerm Select(CelSelect select)
    {
        var operand = Compile(select.Operand);
        var isOptional = select.IsOptional || operand.Type.Kind == CelKind.Optional;
        var type = operand.Type.Kind == CelKind.Optional ? operand.Type.Element : operand.Type;
        CelField? field = null;
        var result = CelType.Dyn;
        switch (type.Kind)
        {
            case CelKind.Object when type.Fields.TryGetValue(select.Field, out field):
                result = field.Type;
                break;
            case CelKind.Object:
                throw new CelCompileException(select.Position, $"undefined field '{select.Field}'");
            case CelKind.Map when type.Key.Kind is CelKind.String or CelKind.Dyn:
                result = type.Element;
                break;
            case CelKind.Dyn:
                break;
            default:
                throw new CelCompileException(select.Position, $"type '{type}' does not support field selection");
        }
        var code = operand.Code;
        var name = select.Field;
        if (select.IsTest)
        {
            return new CelTerm(CelType.Bool, evaluation => CelSelection.Has(code(evaluation), name, field));
        }
        return isOptional
            ? new CelTerm(CelType.Optional(result), evaluation => CelSelection.GetOptional(code(evaluation), name, field))
            : new CelTerm(result, evaluation => CelSelection.Get(code(evaluation), name, field));
    }

    private CelTerm Index(CelIndex syntax)
    {
        var operand = Compile(syntax.Operand);
        var index = Compile(syntax.Index);
        var isOptional = syntax.IsOptional || operand.Type.Kind == CelKind.Optional;
        var type = operand.Type.Kind == CelKind.Optional ? operand.Type.Element : operand.Type;
        var isValid = type.Kind switch
        {
            CelKind.Dyn => true,
            CelKind.List => index.Type.Kind is CelKind.Int or CelKind.Dyn,
            CelKind.Map => index.Type.IsCompatibleWith(type.Key),
            _ => false,
        };
        if (!isValid)
        {
            throw NoOverload(syntax.Position, "_[_]", [operand.Type, index.Type]);
        }
        var result = type.Kind == CelKind.Dyn ? CelType.Dyn : type.Element;
        var (container, key) = (operand.Code, index.Code);
        return isOptional
            ? new CelTerm(CelType.Optional(result), evaluation => CelSelection.IndexOptional(container(evaluation), key(evaluation)))
            : new CelTerm(result, evaluation => CelSelection.Index(container(evaluation), key(evaluation)));
    }

    private CelTerm Operator(CelOperator syntax)
    {
        var operands = syntax.Operands.Select(Compile).ToList();
        if (operands.Count == 1)
        {
            return CelLibrary.Bind(syntax.Symbol == "!" ? "!_" : "-_", false, operands) ?? throw Mismatch(syntax, operands);
        }
        var (left, right) = (operands[0], operands[1]);
        switch (syntax.Symbol)
        {
            case "==" or "!=":
                if (!left.Type.IsCompatibleWith(right.Type))
                {
                    throw Mismatch(syntax, operands);
                }
                return CelOperation.Equality(left.Code, right.Code, syntax.Symbol == "==");
            case "<" or "<=" or ">" or ">=":
                if (!CelOperation.AreOrdered(left.Type.Kind, right.Type.Kind))
                {
                    throw Mismatch(syntax, operands);
                }
                return CelOperation.Comparison(left.Code, right.Code, syntax.Symbol);
            case "in":
                var element = right.Type.Kind switch
                {
                    CelKind.List => right.Type.Element,
                    CelKind.Map => right.Type.Key,
                    CelKind.Dyn => CelType.Dyn,
                    _ => throw Mismatch(syntax, operands),
                };
                return left.Type.IsCompatibleWith(element)
                    ? CelOperation.Membership(left.Code, right.Code)
                    : throw Mismatch(syntax, operands);
            case "+" when left.Type.Kind == CelKind.List && right.Type.Kind == CelKind.List:
                return left.Type.IsCompatibleWith(right.Type) ? CelOperation.Concatenation(left, right) : throw Mismatch(syntax, operands);
            default:
                return CelLibrary.Bind($"_{syntax.Symbol}_", false, operands) ?? throw Mismatch(syntax, operands);
        }
    }

    private static CelCompileException Mismatch(CelOperator syntax, List<CelTerm> operands)
    {
        var name =
            operands.Count == 1 ? $"{syntax.Symbol}_"
            : syntax.Symbol == "in" ? "@in"
            : $"_{syntax.Symbol}_";
        return NoOverload(syntax.Position, name, [.. operands.Select(operand => operand.Type)]);
    }

    private static CelCompileException NoOverload(int position, string name, IReadOnlyList<CelType> arguments, CelType? receiver = null)
    {
        var target = receiver is null ? "" : $"{receiver}.";
        return new(position, $"found no matching overload for '{name}' applied to '{target}({string.Join(", ", arguments)})'");
    }

    private CelTerm Logic(CelLogic syntax)
    {
        var operands = syntax.Operands.Select(Compile).ToList();
        if (operands.FirstOrDefault(operand => operand.Type.Kind is not (CelKind.Bool or CelKind.Dyn)) is not null)
        {
            throw NoOverload(syntax.Position, syntax.IsAnd ? "_&&_" : "_||_", [.. operands.Select(operand => operand.Type)]);
        }
        return CelOperation.Logic([.. operands.Select(operand => operand.Code)], syntax.IsAnd);
    }

    private CelTerm Conditional(CelConditional syntax)
    {
        var (condition, then, otherwise) = (Compile(syntax.Condition), Compile(syntax.Then), Compile(syntax.Otherwise));
        if (condition.Type.Kind is not (CelKind.Bool or CelKind.Dyn) || !then.Type.IsCompatibleWith(otherwise.Type))
        {
            throw NoOverload(syntax.Position, "_?_:_", [condition.Type, then.Type, otherwise.Type]);
        }
        var (test, yes, no) = (condition.Code, then.Code, otherwise.Code);
        return new CelTerm(
            CelType.Join(then.Type, otherwise.Type),
            evaluation =>
                test(evaluation) switch
                {
                    true => yes(evaluation),
                    false => no(evaluation),
                    CelError error => error,
                    _ => CelError.NoOverload,
                }
        );
    }

    private CelTerm ListLiteral(CelListLiteral syntax)
    {
        var items = syntax.Items.Select(Compile).ToList();
        var element = items.Count == 0 ? CelType.Dyn : items[0].Type;
        for (var i = 1; i < items.Count; i++)
        {
            if (!element.IsCompatibleWith(items[i].Type))
            {
                throw new CelCompileException(syntax.Items[i].Position, $"expected type '{element}' but found '{items[i].Type}'");
            }
            element = CelType.Join(element, items[i].Type);
        }
        if (items.All(item => item.IsConstant))
        {
            var constant = new CelList([.. items.Select(item => item.Constant)]);
            return new CelTerm(CelType.List(element), _ => constant);
        }
        var codes = items.Select(item => item.Code).ToArray();
        return new CelTerm(
            CelType.List(element),
            evaluation =>
            {
                var values = new object?[codes.Length];
                for (var i = 0; i < codes.Length; i++)
                {
                    values[i] = codes[i](evaluation);
                    if (values[i] is CelError error)
                    {
                        return error;
                    }
                }
                return new CelList(values);
            }
        );
    }

    private CelTerm MapLiteral(CelMapLiteral syntax)
    {
        var entries = syntax.Entries.Select(entry => (Key: Compile(entry.Key), Value: Compile(entry.Value))).ToList();
        var (key, value) = entries.Count == 0 ? (CelType.Dyn, CelType.Dyn) : (entries[0].Key.Type, entries[0].Value.Type);
        for (var i = 0; i < entries.Count; i++)
        {
            var entry = entries[i];
            if (entry.Key.Type.Kind is not (CelKind.String or CelKind.Int or CelKind.Uint or CelKind.Bool or CelKind.Dyn))
            {
                throw new CelCompileException(syntax.Entries[i].Key.Position, $"unsupported key type: {entry.Key.Type}");
            }
            if (!key.IsCompatibleWith(entry.Key.Type) || !value.IsCompatibleWith(entry.Value.Type))
            {
                throw new CelCompileException(
                    syntax.Entries[i].Key.Position,
                    $"expected type '{CelType.Map(key, value)}' but found '{CelType.Map(entry.Key.Type, entry.Value.Type)}'"
                );
            }
            (key, value) = (CelType.Join(key, entry.Key.Type), CelType.Join(value, entry.Value.Type));
        }
        return new CelTerm(
            CelType.Map(key, value),
            evaluation =>
            {
                var map = new Dictionary<object, object?>();
                foreach (var entry in entries)
                {
                    var name = entry.Key.Code(evaluation);
                    var content = entry.Value.Code(evaluation);
                    if (name is CelError || content is CelError)
                    {
                        return name as CelError ?? content;
                    }
                    if (name is null || !map.TryAdd(name, content))
                    {
                        return new CelError($"insert failed: key {CelValue.Print(name)} already exists");
                    }
                }
                return new CelMapValue(map);
            }
        );
    }

    private CelTerm Macro(CelMacro syntax)
    {
        var range = Compile(syntax.Range);
        var isOptional = syntax.Name is "optMap" or "optFlatMap";
        var element = range.Type.Kind switch
        {
            CelKind.Optional when isOptional => range.Type.Element,
            CelKind.List when !isOptional => range.Type.Element,
            CelKind.Map when !isOptional => range.Type.Key,
            CelKind.Dyn => CelType.Dyn,
            _ => throw new CelCompileException(
                syntax.Position,
                isOptional
                    ? $"expression of type '{range.Type}' is not an optional value"
                    : $"expression of type '{range.Type}' cannot be range of a comprehension (must be list, map, or dynamic)"
            ),
        };
        var index = _scope.Count;
        _scope.Add((syntax.Variable, element, index));
        _variableCount = Math.Max(_variableCount, _scope.Count);
        var filter = syntax.Filter is null ? null : Predicate(syntax.Filter);
        var body = syntax.Name is "map" or "optMap" or "optFlatMap" ? Compile(syntax.Body) : Predicate(syntax.Body);
        _scope.RemoveAt(index);
        if (syntax.Name == "optFlatMap" && body.Type.Kind is not (CelKind.Optional or CelKind.Dyn))
        {
            throw new CelCompileException(syntax.Body.Position, $"expected an optional value but found '{body.Type}'");
        }
        return CelComprehension.Compile(syntax.Name, range, index, filter?.Code, body);
    }

    private CelTerm Predicate(CelSyntax syntax)
    {
        var term = Compile(syntax);
        return term.Type.Kind is CelKind.Bool or CelKind.Dyn
            ? term
            : throw new CelCompileException(syntax.Position, $"expected type 'bool' but found '{term.Type}'");
    }

    private CelTerm Call(CelCall syntax)
    {
        // Functions with a qualified name have the form of methods.
        if (syntax.Receiver is CelIdentifier qualifier && !_scope.Exists(variable => variable.Name == qualifier.Name))
        {
            var name = $"{qualifier.Name}.{syntax.Function}";
            if (!CelLibrary.Contains(name))
            {
                throw Undeclared(syntax.Position, name, CelLibrary.IsKnownQualifier(qualifier.Name));
            }
            return Bind(syntax, name, null);
        }
        return Bind(syntax, syntax.Function, syntax.Receiver is null ? null : Compile(syntax.Receiver));
    }

    private CelTerm Bind(CelCall syntax, string name, CelTerm? receiver)
    {
        if (!CelLibrary.Contains(name))
        {
            throw Undeclared(syntax.Position, name, CelLibrary.IsKnown(name));
        }
        var arguments = syntax.Arguments.Select(Compile).ToList();
        var all = receiver is null ? arguments : [receiver, .. arguments];
        try
        {
            return CelLibrary.Bind(name, receiver is not null, all)
                ?? throw NoOverload(syntax.Position, name, [.. arguments.Select(argument => argument.Type)], receiver?.Type);
        }
        catch (FormatException exception)
        {
            throw new CelCompileException(syntax.Position, exception.Message);
        }
    }

    private static CelCompileException Undeclared(int position, string name, bool isKnown) =>
        new(
            position,
            isKnown ? $"the embedded cluster does not support the function '{name}'" : $"undeclared reference to '{name}' (in container '')"
        );
}

/// <summary>A checked part of an expression.</summary>
/// <param name="Type">Its type.</param>
/// <param name="Code">Evaluates it.</param>
internal sealed record CelTerm(CelType Type, CelCode Code)
{
    private readonly object? _constant = Missing;

    private static object Missing { get; } = new();

    /// <summary>Whether the part is a literal.</summary>
    public bool IsConstant => !ReferenceEquals(_constant, Missing);

    /// <summary>The value of a literal.</summary>
    public object? Constant
    {
        get => _constant;
        init => _constant = value;
    }
}
