using KubeLB.EmbeddedCluster.Errors;
using KubeLB.EmbeddedCluster.Storage;
using KubeLB.EmbeddedCluster.Validation;

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

/// <summary>A requirement of a label selector.</summary>
internal sealed record LabelRequirement(string Key, LabelOperator Operator, IReadOnlyCollection<string> Values)
{
    public bool Matches(Func<string, string?> labels)
    {
        var value = labels(Key);
        return Operator switch
        {
            LabelOperator.Exists => value is not null,
            LabelOperator.DoesNotExist => value is null,
            LabelOperator.In => value is not null && Values.Contains(value),
            LabelOperator.NotIn => value is null || !Values.Contains(value),
            LabelOperator.GreaterThan => long.TryParse(value, out var left) && left > long.Parse(Values.First()),
            _ => long.TryParse(value, out var left) && left < long.Parse(Values.First()),
        };
    }
}

/// <summary>The operator of a label requirement.</summary>
internal enum LabelOperator
{
    Exists,
    DoesNotExist,
    In,
    NotIn,
    GreaterThan,
    LessThan,
}

/// <summary>Parses <c>a=b,c in (d,e),!f,g>1</c>, with the grammar and error messages of apimachinery's <c>labels.Parse</c>.</summary>
internal ref struct LabelSelectorParser
{
    private readonly string _text;
    private int _position;
    private string _token;
    private bool _isSymbol;

    private LabelSelectorParser(string text)
    {
        _text = text;
        _token = "";
    }

    /// <exception cref="ApiException">400 with the message of Kubernetes.</exception>
    public static LabelSelector Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return LabelSelector.Everything;
        }
        var parser = new LabelSelectorParser(text);
        parser.Next();
        var requirements = new List<LabelRequirement>();
        while (parser._token.Length > 0)
        {
            requirements.Add(parser.Requirement());
            if (parser._token.Length == 0)
            {
                break;
            }
            if (parser._token != ",")
            {
                throw ApiErrors.BadRequest($"found '{parser._token}', expected: ',' or 'end of string'");
            }
            parser.Next();
            if (parser._token.Length == 0)
            {
                throw ApiErrors.BadRequest("found '', expected: identifier after ','");
            }
        }
        return new LabelSelector(requirements);
    }

    private LabelRequirement Requirement()
    {
        if (_token == "!")
        {
            Next();
            var absent = Key();
            return new LabelRequirement(absent, LabelOperator.DoesNotExist, []);
        }
        var key = Key();
        switch (_token)
        {
            case "" or ",":
                return new LabelRequirement(key, LabelOperator.Exists, []);
            case "=" or "==":
                Next();
                return new LabelRequirement(key, LabelOperator.In, [Value(key)]);
            case "!=":
                Next();
                return new LabelRequirement(key, LabelOperator.NotIn, [Value(key)]);
            case ">" or "<":
                var greater = _token == ">";
                Next();
                var number = Value(key);
                return long.TryParse(number, out _)
                    ? new LabelRequirement(key, greater ? LabelOperator.GreaterThan : LabelOperator.LessThan, [number])
                    : throw ApiErrors.BadRequest(
                        $"unable to parse requirement: values[0][{key}]: Invalid value: \"{number}\": for 'Gt', 'Lt' operators, the "
                            + "value must be an integer"
                    );
            case "in" or "notin":
                var not = _token == "notin";
                Next();
                return new LabelRequirement(key, not ? LabelOperator.NotIn : LabelOperator.In, Values(key));
            default:
                throw ApiErrors.BadRequest($"unable to parse requirement: found '{_token}', expected: in, notin, =, ==, !=, gt, lt");
        }
    }

    private string Key()
    {
        if (_isSymbol || _token.Length == 0)
        {
            throw ApiErrors.BadRequest($"unable to parse requirement: found '{_token}', expected: identifier");
        }
        var key = _token;
        var problems = Names.QualifiedName(key);
        if (problems.Count > 0)
        {
            throw ApiErrors.BadRequest(
                $"unable to parse requirement: <nil>: Invalid value: {FieldError.Quote(key)}: {string.Join("; ", problems)}"
            );
        }
        Next();
        return key;
    }

    private string Value(string key)
    {
        if (_token is "" or ",")
        {
            return "";
        }
        if (_isSymbol)
        {
            throw ApiErrors.BadRequest($"unable to parse requirement: found '{_token}', expected: identifier");
        }
        var value = Checked(key, _token);
        Next();
        return value;
    }

    private HashSet<string> Values(string key)
    {
        var values = new HashSet<string>(StringComparer.Ordinal);
        if (_token != "(")
        {
            throw ApiErrors.BadRequest($"unable to parse requirement: found '{_token}' expected: '('");
        }
        Next();
        while (true)
        {
            if (_token is "," or ")")
            {
                values.Add("");
            }
            else if (_isSymbol || _token.Length == 0)
            {
                throw ApiErrors.BadRequest($"unable to parse requirement: found '{_token}', expected: ',', ')' or identifier");
            }
            else
            {
                values.Add(Checked(key, _token));
                Next();
            }
            var separator = _token;
            if (separator is not ("," or ")"))
            {
                throw ApiErrors.BadRequest($"unable to parse requirement: found '{separator}', expected: ',' or ')'");
            }
            Next();
            if (separator == ")")
            {
                return values;
            }
        }
    }

    private static string Checked(string key, string value)
    {
        var problems = Names.LabelValue(value);
        return problems.Count == 0
            ? value
            : throw ApiErrors.BadRequest(
                $"unable to parse requirement: values[0][{key}]: Invalid value: {FieldError.Quote(value)}: {string.Join("; ", problems)}"
            );
    }

    private void Next()
    {
        while (_position < _text.Length && char.IsWhiteSpace(_text[_position]))
        {
            _position++;
        }
        var start = _position;
        if (start == _text.Length)
        {
            (_token, _isSymbol) = ("", false);
            return;
        }
        _isSymbol = IsSpecial(_text[start]);
        if (!_isSymbol)
        {
            while (_position < _text.Length && !IsSpecial(_text[_position]) && !char.IsWhiteSpace(_text[_position]))
            {
                _position++;
            }
            _token = _text[start.._position];
            return;
        }
        _position++;
        var two = _position < _text.Length ? _text.Substring(start, 2) : "";
        if (two is "==" or "!=")
        {
            _position++;
            _token = two;
            return;
        }
        _token = _text[start].ToString();
    }

    private static bool IsSpecial(char c) => c is '=' or '!' or '(' or ')' or ',' or '>' or '<';
}
