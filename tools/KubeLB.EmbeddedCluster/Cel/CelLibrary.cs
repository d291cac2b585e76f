using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using KubeLB.EmbeddedCluster.CustomResources;

namespace KubeLB.EmbeddedCluster.Cel;

/// <summary>The functions, methods and operators of expressions: CEL's standard library, and parts of Kubernetes' libraries.</summary>
/// <remarks>
/// Functions of Kubernetes that are not here are known by name, so that a rule with one of them is rejected with an error that names the
/// function.
/// </remarks>
internal static class CelLibrary
{
    /// <summary>Limit of the length of a text that an expression creates, in characters.</summary>
    private const int MaxText = 1 << 20;

    private static readonly string[] Unsupported =
    [
        .. "isURL url getScheme getHost getHostname getPort getEscapedPath getQuery ip family isUnspecified isLoopback".Split(' '),
        .. "isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast isCIDR cidr containsIP containsCIDR masked prefixLength".Split(' '),
        .. "isQuantity quantity isInteger asInteger asApproximateFloat sign add sub isGreaterThan isLessThan compareTo".Split(' '),
        .. "isSorted sum min max flatten slice sort distinct first last reverse transformList transformMap".Split(' '),
        .. "transformMapEntry format validate semver isSemver major minor patch getFullYear getMonth getDate getDayOfMonth".Split(' '),
        .. "getDayOfWeek getDayOfYear getHours getMinutes getSeconds getMilliseconds type authorizer jsonpatch.escapeKey".Split(' '),
    ];

    private static readonly string[] Qualifiers = ["sets", "math", "format", "base64", "lists", "strings", "jsonpatch", "cel", "optional"];

    private static readonly Dictionary<string, List<CelFunction>> Functions = Create();

    public static bool Contains(string name) => Functions.ContainsKey(name);

    /// <summary>Whether a function of this name exists in a real API server, but not here.</summary>
    public static bool IsKnown(string name) => Unsupported.Contains(name);

    /// <summary>Whether the name is a namespace of functions in a real API server.</summary>
    public static bool IsKnownQualifier(string name) => Qualifiers.Contains(name);

    /// <summary>Selects the function for the types of the arguments; null if there is none.</summary>
    /// <param name="name">The function.</param>
    /// <param name="isMethod">Whether the first argument is the receiver of a method call.</param>
    /// <param name="arguments">The arguments.</param>
    /// <exception cref="FormatException">A literal is not valid for the function, e.g. a regular expression.</exception>
    public static CelTerm? Bind(string name, bool isMethod, IReadOnlyList<CelTerm> arguments)
    {
        var candidates = Functions[name]
            .Where(function =>
                function.IsMethod == isMethod
                && function.Parameters.Length == arguments.Count
                && function.Parameters.Zip(arguments).All(pair => IsAssignable(pair.Second.Type, pair.First))
            )
            .ToArray();
        if (candidates.Length == 0)
        {
            return null;
        }
        var codes = arguments.Select(argument => argument.Code).ToArray();
        var first = candidates[0];
        var type = first.ResultOf(arguments);
        if (candidates.Any(function => function.ResultOf(arguments).Kind != type.Kind))
        {
            type = CelType.Dyn;
        }
        var prepared = first.Prepare?.Invoke(arguments);
        return new CelTerm(
            type,
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
                foreach (var function in candidates)
                {
                    if (function.Accepts(values))
                    {
                        return prepared is null ? function.Body(values, evaluation) : prepared(values, evaluation);
                    }
                }
                return CelError.NoOverload;
            }
        );
    }

    private static bool IsAssignable(CelType argument, CelType parameter) =>
        parameter.Kind == CelKind.Dyn || (argument.Kind != CelKind.Null && argument.IsCompatibleWith(parameter));

    private static Dictionary<string, List<CelFunction>> Create()
    {
        var library = new Dictionary<string, List<CelFunction>>(StringComparer.Ordinal);
        AddOperators(library);
        AddSizes(library);
        AddTexts(library);
        AddConversions(library);
        AddOptionals(library);
        return library;
    }

    private static void Add(
        Dictionary<string, List<CelFunction>> library,
        string name,
        bool isMethod,
        CelType result,
        CelType[] parameters,
        Func<object?[], CelEvaluation, object?> body
    )
    {
        if (!library.TryGetValue(name, out var functions))
        {
            library[name] = functions = [];
        }
        functions.Add(new CelFunction(isMethod, parameters, result, body));
    }

    private static void AddOperators(Dictionary<string, List<CelFunction>> library)
    {
        void Operator<T>(string symbol, CelType type, Func<T, T, object?> body, CelType? result = null)
            where T : notnull =>
            Add(library, symbol, false, result ?? type, [type, type], (values, _) => body((T)values[0]!, (T)values[1]!));

        Add(library, "!_", false, CelType.Bool, [CelType.Bool], (values, _) => !(bool)values[0]!);
        Add(library, "-_", false, CelType.Int, [CelType.Int], (values, _) => Checked(() => checked(-(long)values[0]!)));
        Add(library, "-_", false, CelType.Double, [CelType.Double], (values, _) => -(double)values[0]!);
        Operator<long>("_+_", CelType.Int, (a, b) => Checked(() => checked(a + b)));
        Operator<long>("_-_", CelType.Int, (a, b) => Checked(() => checked(a - b)));
        Operator<long>("_*_", CelType.Int, (a, b) => Checked(() => checked(a * b)));
        Operator<long>("_/_", CelType.Int, (a, b) => b == 0 ? new CelError("division by zero") : Checked(() => checked(a / b)));
        Operator<long>("_%_", CelType.Int, (a, b) => b == 0 ? new CelError("modulus by zero") : Checked(() => checked(a % b)));
        Operator<ulong>("_+_", CelType.Uint, (a, b) => Checked(() => checked(a + b)));
        Operator<ulong>("_-_", CelType.Uint, (a, b) => Checked(() => checked(a - b)));
        Operator<ulong>("_*_", CelType.Uint, (a, b) => Checked(() => checked(a * b)));
        Operator<ulong>("_/_", CelType.Uint, (a, b) => b == 0 ? new CelError("division by zero") : a / b);
        Operator<ulong>("_%_", CelType.Uint, (a, b) => b == 0 ? new CelError("modulus by zero") : a % b);
        Operator<double>("_+_", CelType.Double, (a, b) => a + b);
        Operator<double>("_-_", CelType.Double, (a, b) => a - b);
        Operator<double>("_*_", CelType.Double, (a, b) => a * b);
        Operator<double>("_/_", CelType.Double, (a, b) => a / b);
        Operator<CelDuration>("_+_", CelType.Duration, (a, b) => Checked(() => new CelDuration(checked(a.Nanoseconds + b.Nanoseconds))));
        Operator<CelDuration>("_-_", CelType.Duration, (a, b) => Checked(() => new CelDuration(checked(a.Nanoseconds - b.Nanoseconds))));
        Operator<DateTimeOffset>(
            "_-_",
            CelType.Timestamp,
            (a, b) => Checked(() => new CelDuration(checked((a - b).Ticks * 100))),
            CelType.Duration
        );
        Add(
            library,
            "_+_",
            false,
            CelType.String,
            [CelType.String, CelType.String],
            (values, evaluation) => Limited(evaluation, (string)values[0]! + (string)values[1]!)
        );
        Add(
            library,
            "_+_",
            false,
            CelType.Bytes,
            [CelType.Bytes, CelType.Bytes],
            (values, evaluation) =>
            {
                var (left, right) = ((byte[])values[0]!, (byte[])values[1]!);
                evaluation.ChargeText((long)left.Length + right.Length);
                return (byte[])[.. left, .. right];
            }
        );
        Add(
            library,
            "_+_",
            false,
            CelType.Timestamp,
            [CelType.Timestamp, CelType.Duration],
            (values, _) => Checked(() => ((DateTimeOffset)values[0]!).AddTicks(((CelDuration)values[1]!).Nanoseconds / 100))
        );
        Add(
            library,
            "_-_",
            false,
            CelType.Timestamp,
            [CelType.Timestamp, CelType.Duration],
            (values, _) => Checked(() => ((DateTimeOffset)values[0]!).AddTicks(-((CelDuration)values[1]!).Nanoseconds / 100))
        );
    }

    private static void AddSizes(Dictionary<string, List<CelFunction>> library)
    {
        foreach (var isMethod in new[] { false, true })
        {
            void Size(CelType type, Func<object, long> size) =>
                Add(library, "size", isMethod, CelType.Int, [type], (values, _) => size(values[0]!));

            Size(CelType.String, value => CelValue.Length((string)value));
            Size(CelType.Bytes, value => ((byte[])value).Length);
            Size(CelType.List(CelType.Dyn), value => ((CelList)value).Items.Count);
            Size(CelType.Map(CelType.Dyn, CelType.Dyn), value => ((CelMap)value).Count);
        }
    }

    private static void AddTexts(Dictionary<string, List<CelFunction>> library)
    {
        void Text(string name, CelType result, CelType[] parameters, Func<string, object?[], object?> body) =>
            Add(
                library,
                name,
                true,
                result,
                [CelType.String, .. parameters],
                (values, evaluation) =>
                {
                    evaluation.ChargeText(((string)values[0]!).Length);
                    var result = body((string)values[0]!, values);
                    return result is string text ? Limited(evaluation, text) : result;
                }
            );

        CelType[] text = [CelType.String];
        CelType[] position = [CelType.Int];
        Text("contains", CelType.Bool, text, (value, a) => value.Contains((string)a[1]!, StringComparison.Ordinal));
        Text("startsWith", CelType.Bool, text, (value, a) => value.StartsWith((string)a[1]!, StringComparison.Ordinal));
        Text("endsWith", CelType.Bool, text, (value, a) => value.EndsWith((string)a[1]!, StringComparison.Ordinal));
        Text("lowerAscii", CelType.String, [], (value, _) => MapAscii(value, char.ToLowerInvariant));
        Text("upperAscii", CelType.String, [], (value, _) => MapAscii(value, char.ToUpperInvariant));
        Text("trim", CelType.String, [], (value, _) => value.Trim());
        Text("charAt", CelType.String, position, (value, a) => Part(value, (long)a[1]!, (long)a[1]! + 1, isCharacter: true));
        Text("substring", CelType.String, position, (value, a) => Part(value, (long)a[1]!, CelValue.Length(value)));
        Text("substring", CelType.String, [CelType.Int, CelType.Int], (value, a) => Part(value, (long)a[1]!, (long)a[2]!));
        Text("indexOf", CelType.Int, text, (value, a) => Characters(value, value.IndexOf((string)a[1]!, StringComparison.Ordinal)));
        Text("lastIndexOf", CelType.Int, text, (value, a) => Characters(value, value.LastIndexOf((string)a[1]!, StringComparison.Ordinal)));
        Text("split", CelType.List(CelType.String), text, (value, a) => Split(value, (string)a[1]!, -1));
        Text("split", CelType.List(CelType.String), [CelType.String, CelType.Int], (value, a) => Split(value, (string)a[1]!, (long)a[2]!));
        Text("replace", CelType.String, [CelType.String, CelType.String], (value, a) => Replace(value, (string)a[1]!, (string)a[2]!));
        AddPattern(library, "find", true, CelType.String, (pattern, value) => pattern.Match(value).Value);
        AddPattern(library, "matches", true, CelType.Bool, (pattern, value) => pattern.IsMatch(value));
        AddPattern(library, "matches", false, CelType.Bool, (pattern, value) => pattern.IsMatch(value));
        Add(library, "join", true, CelType.String, [CelType.List(CelType.String)], (values, e) => Join((CelList)values[0]!, "", e));
        Add(
            library,
            "join",
            true,
            CelType.String,
            [CelType.List(CelType.String), CelType.String],
            (values, evaluation) => Join((CelList)values[0]!, (string)values[1]!, evaluation)
        );
    }

    /// <summary>Adds a function with a regular expression, which is compiled once if it is a literal.</summary>
    private static void AddPattern(
        Dictionary<string, List<CelFunction>> library,
        string name,
        bool isMethod,
        CelType result,
        Func<Regex, string, object> body
    )
    {
        object Apply(Regex pattern, object? value, CelEvaluation evaluation)
        {
            evaluation.ChargeText(((string)value!).Length);
            return body(pattern, (string)value);
        }

        Add(
            library,
            name,
            isMethod,
            result,
            [CelType.String, CelType.String],
            (values, evaluation) =>
            {
                var pattern = (string)values[1]!;
                evaluation.Charge(pattern.Length);
                return Re2Pattern.Compile(pattern) is { } compiled
                    ? Apply(compiled, values[0], evaluation)
                    : new CelError($"error parsing regexp: `{pattern}`");
            }
        );
        library[name][^1] = library[name][^1] with
        {
            Prepare = arguments =>
            {
                if (arguments[1].Constant is not string pattern)
                {
                    return null;
                }
                var compiled = Re2Pattern.Compile(pattern) ?? throw new FormatException($"error parsing regexp: `{pattern}`");
                return (values, evaluation) => Apply(compiled, values[0], evaluation);
            },
        };
    }

    private static void AddConversions(Dictionary<string, List<CelFunction>> library)
    {
        void Convert(string name, CelType result, CelType parameter, Func<object, object?> body) =>
            Add(library, name, false, result, [parameter], (values, _) => body(values[0]!));

        Add(library, "dyn", false, CelType.Dyn, [CelType.Dyn], (values, _) => values[0]);
        foreach (
            var type in new[]
            {
                CelType.String,
                CelType.Bool,
                CelType.Int,
                CelType.Uint,
                CelType.Double,
                CelType.Bytes,
                CelType.Duration,
                CelType.Timestamp,
            }
        )
        {
            Convert("string", CelType.String, type, CelValue.Print);
        }
        Convert("int", CelType.Int, CelType.Int, value => value);
        Convert("int", CelType.Int, CelType.Uint, value => Checked(() => checked((long)(ulong)value)));
        Convert(
            "int",
            CelType.Int,
            CelType.Double,
            value => (double)value is > -9.3e18 and < 9.3e18 ? Checked(() => checked((long)(double)value)) : Overflow
        );
        Convert("int", CelType.Int, CelType.Timestamp, value => ((DateTimeOffset)value).ToUnixTimeSeconds());
        Convert(
            "int",
            CelType.Int,
            CelType.String,
            value => ParsedOr(long.TryParse((string)value, Signed, Invariant, out var number), number, "int")
        );
        Convert("uint", CelType.Uint, CelType.Uint, value => value);
        Convert("uint", CelType.Uint, CelType.Int, value => Checked(() => checked((ulong)(long)value)));
        Convert(
            "uint",
            CelType.Uint,
            CelType.String,
            value => ParsedOr(ulong.TryParse((string)value, NumberStyles.None, Invariant, out var number), number, "uint")
        );
        Convert("double", CelType.Double, CelType.Double, value => value);
        Convert("double", CelType.Double, CelType.Int, value => (double)(long)value);
        Convert("double", CelType.Double, CelType.Uint, value => (double)(ulong)value);
        Convert(
            "double",
            CelType.Double,
            CelType.String,
            value => ParsedOr(double.TryParse((string)value, NumberStyles.Float, Invariant, out var number), number, "double")
        );
        Convert("bool", CelType.Bool, CelType.Bool, value => value);
        Convert("bool", CelType.Bool, CelType.String, value => ParsedOr(bool.TryParse((string)value, out var flag), flag, "bool"));
        Convert("bytes", CelType.Bytes, CelType.String, value => Encoding.UTF8.GetBytes((string)value));
        Convert("duration", CelType.Duration, CelType.Duration, value => value);
        Convert(
            "duration",
            CelType.Duration,
            CelType.String,
            value => ParsedOr(CelValue.TryDuration((string)value, out var duration), duration, "google.protobuf.Duration")
        );
        Convert("timestamp", CelType.Timestamp, CelType.Timestamp, value => value);
        Convert(
            "timestamp",
            CelType.Timestamp,
            CelType.String,
            value => ParsedOr(CelValue.TryTimestamp((string)value, out var time), time, "google.protobuf.Timestamp")
        );
        Convert("isIP", CelType.Bool, CelType.String, value => IsAddress((string)value));
    }

    private static void AddOptionals(Dictionary<string, List<CelFunction>> library)
    {
        var optional = CelType.Optional(CelType.Dyn);
        Add(library, "optional.none", false, optional, [], (_, _) => CelOptional.None);
        Add(library, "optional.of", false, optional, [CelType.Dyn], (values, _) => CelOptional.Of(values[0]));
        Add(library, "hasValue", true, CelType.Bool, [optional], (values, _) => ((CelOptional)values[0]!).HasValue);
        Add(
            library,
            "value",
            true,
            CelType.Dyn,
            [optional],
            (values, _) => values[0] is CelOptional { HasValue: true } some ? some.Value : new CelError("optional.none() dereference")
        );
        Add(
            library,
            "orValue",
            true,
            CelType.Dyn,
            [optional, CelType.Dyn],
            (values, _) => values[0] is CelOptional { HasValue: true } some ? some.Value : values[1]
        );
        Add(
            library,
            "or",
            true,
            optional,
            [optional, optional],
            (values, _) => values[0] is CelOptional { HasValue: true } ? values[0] : values[1]
        );
        library["value"][0] = library["value"][0] with { Result = null };
        library["orValue"][0] = library["orValue"][0] with { Result = null };
    }

    private static NumberStyles Signed => NumberStyles.AllowLeadingSign;

    private static CultureInfo Invariant => CultureInfo.InvariantCulture;

    private static CelError Overflow { get; } = new("integer overflow");

    private static object Checked<T>(Func<T> body)
        where T : notnull
    {
        try
        {
            return body();
        }
        catch (Exception exception) when (exception is OverflowException or ArgumentOutOfRangeException)
        {
            return Overflow;
        }
    }

    private static object ParsedOr<T>(bool isParsed, T value, string type)
        where T : notnull => isParsed ? value : new CelError($"type conversion error from 'string' to '{type}'");

    private static string Limited(CelEvaluation evaluation, string text)
    {
        evaluation.ChargeText(text.Length);
        return text.Length > MaxText ? throw new CelCostException() : text;
    }

    /// <summary>Joins texts. The length is checked first, because a list can contain one text many times.</summary>
    private static object Join(CelList list, string separator, CelEvaluation evaluation)
    {
        var texts = new List<string>(list.Items.Count);
        foreach (var item in list.Items)
        {
            if (item is not string text)
            {
                return CelError.NoOverload;
            }
            evaluation.ChargeText(text.Length + separator.Length);
            texts.Add(text);
        }
        return texts.Sum(text => (long)text.Length + separator.Length) > MaxText
            ? throw new CelCostException()
            : string.Join(separator, texts);
    }

    private static string MapAscii(string text, Func<char, char> map) =>
        string.Create(
            text.Length,
            (text, map),
            static (buffer, state) =>
            {
                for (var i = 0; i < buffer.Length; i++)
                {
                    buffer[i] = char.IsAscii(state.text[i]) ? state.map(state.text[i]) : state.text[i];
                }
            }
        );

    /// <summary>The characters from <paramref name="start"/> to <paramref name="end"/>, counted in code points.</summary>
    private static object Part(string text, long start, long end, bool isCharacter = false)
    {
        var length = CelValue.Length(text);
        if (start < 0 || start > length)
        {
            return new CelError($"index out of range: {start}");
        }
        if (isCharacter && start == length)
        {
            return "";
        }
        if (end < start || end > length)
        {
            return new CelError(end < start ? $"invalid substring range. start: {start}, end: {end}" : $"index out of range: {end}");
        }
        if (length == text.Length)
        {
            return text[(int)start..(int)end];
        }
        return string.Concat(text.EnumerateRunes().Skip((int)start).Take((int)(end - start)).Select(rune => rune.ToString()));
    }

    private static long Characters(string text, int index) => index < 0 ? -1 : CelValue.Length(text[..index]);

    private static CelList Split(string text, string separator, long limit)
    {
        if (limit == 0)
        {
            return new CelList([]);
        }
        var count = limit is < 0 or > int.MaxValue ? int.MaxValue : (int)limit;
        IEnumerable<string> parts =
            separator.Length > 0 ? text.Split(separator, count) : text.EnumerateRunes().Select(rune => rune.ToString());
        return new CelList([.. parts]);
    }

    private static string Replace(string text, string old, string @new) =>
        // An empty text is inserted around each character; the length of the result is checked before it is created.
        (long)text.Length * Math.Max(@new.Length, 1)
        > 16L * MaxText
            ? throw new CelCostException()
        : old.Length > 0 ? text.Replace(old, @new, StringComparison.Ordinal)
        : @new + string.Concat(text.EnumerateRunes().Select(rune => rune + @new));

    /// <summary>Whether a text is an IP address as Kubernetes accepts it: no zone, no mapped address, no leading zeros.</summary>
    private static bool IsAddress(string text) =>
        IPAddress.TryParse(text, out var address)
        && !text.AsSpan().ContainsAny("%[]")
        && !address.IsIPv4MappedToIPv6
        && (address.AddressFamily == AddressFamily.InterNetworkV6 || address.ToString() == text);
}

/// <summary>A function, method or operator for certain types of arguments.</summary>
/// <param name="IsMethod">Whether the first parameter is the receiver of a method call.</param>
/// <param name="Parameters">The types of the parameters.</param>
/// <param name="Result">The type of the result; null for the type of the value of the optional that is the first argument.</param>
/// <param name="Body">Evaluates the function.</param>
internal sealed record CelFunction(bool IsMethod, CelType[] Parameters, CelType? Result, Func<object?[], CelEvaluation, object?> Body)
{
    /// <summary>Prepares the evaluation for arguments that are literals.</summary>
    public Func<IReadOnlyList<CelTerm>, Func<object?[], CelEvaluation, object?>?>? Prepare { get; init; }

    /// <summary>The type of the result for certain arguments.</summary>
    public CelType ResultOf(IReadOnlyList<CelTerm> arguments) =>
        Result ?? (arguments[0].Type.Kind == CelKind.Optional ? arguments[0].Type.Element : CelType.Dyn);

    /// <summary>Whether the values have the types of the parameters.</summary>
    public bool Accepts(object?[] values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            var parameter = Parameters[i].Kind;
            if (parameter != CelKind.Dyn && parameter != CelValue.KindOf(values[i]))
            {
                return false;
            }
        }
        return true;
    }
}
