namespace KubeLB.EmbeddedCluster.Cel;

/// <summary>Operators whose operands have no fixed type or are not all evaluated.</summary>
internal static class CelOperation
{
    public static bool AreOrdered(CelKind left, CelKind right)
    {
        if (left == CelKind.Dyn || right == CelKind.Dyn)
        {
            return true;
        }
        var isNumber = left is CelKind.Int or CelKind.Uint or CelKind.Double;
        return isNumber
            ? right is CelKind.Int or CelKind.Uint or CelKind.Double
            : left == right && left is CelKind.String or CelKind.Bool or CelKind.Bytes or CelKind.Duration or CelKind.Timestamp;
    }

    public static CelTerm Equality(CelCode left, CelCode right, bool isEqual) =>
        new(
            CelType.Bool,
            evaluation =>
            {
                var (a, b) = (left(evaluation), right(evaluation));
                return a as CelError ?? b as CelError ?? (object)(CelValue.AreEqual(a, b, evaluation) == isEqual);
            }
        );

    public static CelTerm Comparison(CelCode left, CelCode right, string symbol) =>
        new(
            CelType.Bool,
            evaluation =>
            {
                var (a, b) = (left(evaluation), right(evaluation));
                if (a is CelError || b is CelError)
                {
                    return a as CelError ?? b;
                }
                if (!AreOrdered(CelValue.KindOf(a), CelValue.KindOf(b)))
                {
                    return CelError.NoOverload;
                }
                evaluation.ChargeText((a as string)?.Length ?? 0);
                return CelValue.Compare(a, b) is { } order
                    && symbol switch
                    {
                        "<" => order < 0,
                        "<=" => order <= 0,
                        ">" => order > 0,
                        _ => order >= 0,
                    };
            }
        );

    public static CelTerm Membership(CelCode item, CelCode container) =>
        new(
            CelType.Bool,
            evaluation =>
            {
                var (value, values) = (item(evaluation), container(evaluation));
                if (value is CelError || values is CelError)
                {
                    return value as CelError ?? values;
                }
                switch (values)
                {
                    case CelList list:
                        foreach (var element in list.Items)
                        {
                            if (CelValue.AreEqual(value, element, evaluation))
                            {
                                return true;
                            }
                        }
                        return false;
                    case CelMap map:
                        return map.TryGet(value, out _);
                    default:
                        return CelError.NoOverload;
                }
            }
        );

    /// <summary>Concatenates two lists: sets are united, and the second list replaces elements of lists of type map by key.</summary>
    public static CelTerm Concatenation(CelTerm left, CelTerm right)
    {
        var (first, second) = (left.Code, right.Code);
        return new CelTerm(
            CelType.Join(left.Type, right.Type),
            evaluation =>
            {
                var (a, b) = (first(evaluation), second(evaluation));
                if (a is not CelList head || b is not CelList tail)
                {
                    return a as CelError ?? b as CelError ?? CelError.NoOverload;
                }
                evaluation.Charge(head.Items.Count + tail.Items.Count);
                var items = head.Items.ToList();
                foreach (var item in tail.Items)
                {
                    var same = head.Type?.ListType switch
                    {
                        "set" => items.FindIndex(other => CelValue.AreEqual(item, other, evaluation)),
                        "map" => items.FindIndex(other => HaveSameKey(item, other, head.Type.ListMapKeys, evaluation)),
                        _ => -1,
                    };
                    if (same < 0)
                    {
                        items.Add(item);
                    }
                    else
                    {
                        items[same] = item;
                    }
                }
                return new CelList(items, head.Type);
            }
        );
    }

    private static bool HaveSameKey(object? left, object? right, IReadOnlyList<string> keys, CelEvaluation evaluation)
    {
        evaluation.Charge(1);
        return left is CelObject a
            && right is CelObject b
            && keys.All(key => System.Text.Json.Nodes.JsonNode.DeepEquals(a.Json[key], b.Json[key]));
    }

    /// <summary>A chain of <c>&amp;&amp;</c> or <c>||</c>: the decisive value hides errors of the other operands.</summary>
    public static CelTerm Logic(CelCode[] operands, bool isAnd) =>
        new(CelType.Bool, evaluation => Decide(operands.Select(operand => operand(evaluation)), isAnd));

    /// <summary>
    /// The result of a conjunction or disjunction: the decisive value ends the evaluation and hides errors of the others.
    /// </summary>
    internal static object? Decide(IEnumerable<object?> results, bool isAnd)
    {
        CelError? failure = null;
        foreach (var result in results)
        {
            switch (result)
            {
                case bool value when value != isAnd:
                    return value;
                case bool:
                    break;
                case CelError error:
                    failure ??= error;
                    break;
                default:
                    failure ??= CelError.NoOverload;
                    break;
            }
        }
        return failure ?? (object)isAnd;
    }
}

/// <summary>Access to fields and elements.</summary>
internal static class CelSelection
{
    public static object? Get(object? operand, string name, CelField? field) =>
        operand switch
        {
            CelError error => error,
            CelObject value when FieldOf(value, name, field) is { } known => value.Get(known),
            CelMap map => map.TryGet(name, out var value) ? value : CelError.NoKey(name),
            CelObject => CelError.NoKey(name),
            _ => CelError.NoOverload,
        };

    public static object GetOptional(object? operand, string name, CelField? field)
    {
        if (operand is CelOptional optional)
        {
            if (!optional.HasValue)
            {
                return CelOptional.None;
            }
            operand = optional.Value;
        }
        return Has(operand, name, field) switch
        {
            CelError error => error,
            false => CelOptional.None,
            _ => Wrap(Get(operand, name, field)),
        };
    }

    public static object Has(object? operand, string name, CelField? field) =>
        operand switch
        {
            CelError error => error,
            CelOptional optional => optional.HasValue ? Has(optional.Value, name, field) : false,
            CelObject value => FieldOf(value, name, field) is { } known && value.Has(known.Property),
            CelMap map => map.TryGet(name, out _),
            _ => CelError.NoOverload,
        };

    private static CelField? FieldOf(CelObject value, string name, CelField? field) => field ?? value.Type.Fields.GetValueOrDefault(name);

    public static object? Index(object? operand, object? index) =>
        (operand, index) switch
        {
            (CelError error, _) => error,
            (_, CelError error) => error,
            (CelList list, long position) => position >= 0 && position < list.Items.Count
                ? list.Items[(int)position]
                : new CelError($"index out of bounds: {position}"),
            (CelMap map, _) => map.TryGet(index, out var value) ? value : CelError.NoKey(index),
            (CelObject value, string name) => Get(value, name, null),
            _ => CelError.NoOverload,
        };

    public static object IndexOptional(object? operand, object? index)
    {
        if (operand is CelOptional optional)
        {
            if (!optional.HasValue)
            {
                return CelOptional.None;
            }
            operand = optional.Value;
        }
        return (operand, index) switch
        {
            (CelError error, _) => error,
            (_, CelError error) => error,
            (CelList list, long position) when position < 0 || position >= list.Items.Count => CelOptional.None,
            (CelMap map, _) when !map.TryGet(index, out _) => CelOptional.None,
            _ => Wrap(Index(operand, index)),
        };
    }

    private static object Wrap(object? value) => value is CelError error ? error : CelOptional.Of(value);
}

/// <summary>The macros over lists, maps and optional values.</summary>
internal static class CelComprehension
{
    private delegate object? Loop(CelEvaluation evaluation, IEnumerable<object?> elements);

    /// <param name="name">The macro.</param>
    /// <param name="range">The list, map or optional value.</param>
    /// <param name="variable">Index of the iteration variable.</param>
    /// <param name="filter">Selects the elements that <c>map</c> transforms; null for all.</param>
    /// <param name="body">The expression per element.</param>
    public static CelTerm Compile(string name, CelTerm range, int variable, CelCode? filter, CelTerm body)
    {
        if (name is "optMap" or "optFlatMap")
        {
            return OverOptional(name, range, variable, body);
        }
        var code = body.Code;
        Loop loop = name switch
        {
            "all" => (evaluation, elements) => Decide(evaluation, elements, variable, code, isAnd: true),
            "exists" => (evaluation, elements) => Decide(evaluation, elements, variable, code, isAnd: false),
            "exists_one" => (evaluation, elements) =>
                Filter(evaluation, elements, variable, code) is var found && found is List<object?> items ? items.Count == 1 : found,
            "filter" => (evaluation, elements) =>
                Filter(evaluation, elements, variable, code) is var found && found is List<object?> items ? new CelList(items) : found,
            _ => (evaluation, elements) => Map(evaluation, elements, variable, filter, code),
        };
        var type = name switch
        {
            "filter" => CelType.List(
                range.Type.Kind switch
                {
                    CelKind.List => range.Type.Element,
                    CelKind.Map => range.Type.Key,
                    _ => CelType.Dyn,
                }
            ),
            "map" => CelType.List(body.Type),
            _ => CelType.Bool,
        };
        var source = range.Code;
        return new CelTerm(
            type,
            evaluation =>
                source(evaluation) switch
                {
                    CelError error => error,
                    CelList list => loop(evaluation, list.Items),
                    CelMap map => loop(evaluation, map.Keys),
                    _ => CelError.NoOverload,
                }
        );
    }

    /// <summary>Joins the values of the body by <c>&amp;&amp;</c> or <c>||</c>: the decisive value hides errors.</summary>
    private static object? Decide(CelEvaluation evaluation, IEnumerable<object?> elements, int variable, CelCode body, bool isAnd) =>
        CelOperation.Decide(
            elements.Select(element =>
            {
                evaluation.Variables[variable] = element;
                return body(evaluation);
            }),
            isAnd
        );

    /// <summary>The elements for which the body is true, as a list, or an error.</summary>
    private static object Filter(CelEvaluation evaluation, IEnumerable<object?> elements, int variable, CelCode body)
    {
        var found = new List<object?>();
        foreach (var element in elements)
        {
            evaluation.Variables[variable] = element;
            switch (body(evaluation))
            {
                case true:
                    found.Add(element);
                    break;
                case false:
                    break;
                case CelError error:
                    return error;
                default:
                    return CelError.NoOverload;
            }
        }
        return found;
    }

    private static object Map(CelEvaluation evaluation, IEnumerable<object?> elements, int variable, CelCode? filter, CelCode body)
    {
        var results = new List<object?>();
        foreach (var element in elements)
        {
            evaluation.Variables[variable] = element;
            var isSelected = filter?.Invoke(evaluation) ?? true;
            if (isSelected is not bool)
            {
                return isSelected as CelError ?? CelError.NoOverload;
            }
            if (isSelected is false)
            {
                continue;
            }
            var result = body(evaluation);
            if (result is CelError error)
            {
                return error;
            }
            results.Add(result);
        }
        return new CelList(results);
    }

    private static CelTerm OverOptional(string name, CelTerm range, int variable, CelTerm body)
    {
        var (source, code) = (range.Code, body.Code);
        var isFlat = name == "optFlatMap";
        return new CelTerm(
            isFlat ? body.Type : CelType.Optional(body.Type),
            evaluation =>
            {
                if (source(evaluation) is not CelOptional { HasValue: true } optional)
                {
                    return source(evaluation) as CelError ?? (object)CelOptional.None;
                }
                evaluation.Variables[variable] = optional.Value;
                var result = code(evaluation);
                return isFlat || result is CelError ? result : CelOptional.Of(result);
            }
        );
    }
}
