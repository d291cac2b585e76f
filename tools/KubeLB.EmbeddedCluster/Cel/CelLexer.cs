using System.Globalization;
using System.Text;

namespace KubeLB.EmbeddedCluster.Cel;

/// <summary>The kind of a token.</summary>
internal enum CelTokenKind
{
    End,
    Identifier,
    Literal,
    Symbol,
}

/// <summary>A token of an expression.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Position">Index of its first character.</param>
/// <param name="Text">The identifier or symbol.</param>
/// <param name="Value">The value of a literal.</param>
internal readonly record struct CelToken(CelTokenKind Kind, int Position, string Text, object? Value = null);

/// <summary>Splits an expression into tokens.</summary>
/// <param name="source">The expression.</param>
internal sealed class CelLexer(string source)
{
    private static readonly string[] Symbols =
    [
        "&&",
        "||",
        "<=",
        ">=",
        "==",
        "!=",
        "<",
        ">",
        "+",
        "-",
        "*",
        "/",
        "%",
        "!",
        "?",
        ":",
        ".",
        ",",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
    ];

    private int _at;

    /// <exception cref="CelCompileException">A character or literal is invalid.</exception>
    public List<CelToken> Read()
    {
        var tokens = new List<CelToken>();
        while (true)
        {
            SkipSpace();
            if (_at == source.Length)
            {
                tokens.Add(new CelToken(CelTokenKind.End, _at, "<EOF>"));
                return tokens;
            }
            tokens.Add(Next());
        }
    }

    private void SkipSpace()
    {
        while (_at < source.Length)
        {
            if (char.IsWhiteSpace(source[_at]))
            {
                _at++;
            }
            else if (source.AsSpan(_at).StartsWith("//"))
            {
                var end = source.IndexOf('\n', _at);
                _at = end < 0 ? source.Length : end;
            }
            else
            {
                return;
            }
        }
    }

    private CelToken Next()
    {
        var start = _at;
        var c = source[start];
        if (StringPrefix() is { } prefix)
        {
            _at += prefix.Length;
            var value = ReadString(start, prefix.Contains('r', StringComparison.Ordinal), prefix.Contains('b', StringComparison.Ordinal));
            return new CelToken(CelTokenKind.Literal, start, source[start.._at], value);
        }
        if (char.IsAsciiLetter(c) || c == '_')
        {
            while (_at < source.Length && (char.IsAsciiLetterOrDigit(source[_at]) || source[_at] == '_'))
            {
                _at++;
            }
            return new CelToken(CelTokenKind.Identifier, start, source[start.._at]);
        }
        if (char.IsAsciiDigit(c) || (c == '.' && start + 1 < source.Length && char.IsAsciiDigit(source[start + 1])))
        {
            return new CelToken(CelTokenKind.Literal, start, "", ReadNumber(start)) with { Text = source[start.._at] };
        }
        foreach (var symbol in Symbols)
        {
            if (source.AsSpan(start).StartsWith(symbol))
            {
                _at += symbol.Length;
                return new CelToken(CelTokenKind.Symbol, start, symbol);
            }
        }
        throw new CelCompileException(start, $"Syntax error: token recognition error at: '{c}'");
    }

    /// <summary>The prefix of a string literal (r, b or both) in lower case, or null if no string literal starts here.</summary>
    private string? StringPrefix()
    {
        for (var length = 0; length <= 2 && _at + length < source.Length; length++)
        {
            var c = source[_at + length];
            if (c is '"' or '\'')
            {
                var prefix = source.Substring(_at, length).ToLowerInvariant();
                return prefix is "" or "r" or "b" or "rb" or "br" ? prefix : null;
            }
            if (c is not ('r' or 'R' or 'b' or 'B'))
            {
                return null;
            }
        }
        return null;
    }

    private object ReadString(int start, bool isRaw, bool isBytes)
    {
        var quote = source[_at];
        var isLong = source.AsSpan(_at).StartsWith(new string(quote, 3));
        var delimiter = new string(quote, isLong ? 3 : 1);
        _at += delimiter.Length;
        var text = new StringBuilder();
        var bytes = isBytes ? new List<byte>() : null;
        while (true)
        {
            if (_at >= source.Length || (!isLong && source[_at] is '\n' or '\r'))
            {
                throw new CelCompileException(start, $"Syntax error: token recognition error at: '{source[start.._at]}'");
            }
            if (source.AsSpan(_at).StartsWith(delimiter))
            {
                _at += delimiter.Length;
                return bytes is null ? text.ToString() : (object)bytes.ToArray();
            }
            if (source[_at] == '\\' && !isRaw)
            {
                ReadEscape(text, bytes);
            }
            else
            {
                var length = _at + 1 < source.Length && char.IsSurrogatePair(source[_at], source[_at + 1]) ? 2 : 1;
                text.Append(source, _at, length);
                bytes?.AddRange(Encoding.UTF8.GetBytes(source.Substring(_at, length)));
                _at += length;
            }
        }
    }

    private void ReadEscape(StringBuilder text, List<byte>? bytes)
    {
        var start = _at;
        var c = _at + 1 < source.Length ? source[_at + 1] : ' ';
        _at += 2;
        var simple = "abfnrtv\\?\"'`".IndexOf(c, StringComparison.Ordinal);
        if (simple >= 0)
        {
            var value = "\a\b\f\n\r\t\v\\?\"'`"[simple];
            text.Append(value);
            bytes?.Add((byte)value);
            return;
        }
        var (digits, radix) = c switch
        {
            'x' or 'X' => (2, 16),
            'u' when bytes is null => (4, 16),
            'U' when bytes is null => (8, 16),
            >= '0' and <= '3' => (3, 8),
            _ => (0, 0),
        };
        if (radix == 8)
        {
            _at--;
        }
        if (digits == 0 || _at + digits > source.Length || !TryParse(source.AsSpan(_at, digits), radix, out var code))
        {
            throw new CelCompileException(start, $"Syntax error: invalid escape sequence '\\{c}'");
        }
        _at += digits;
        if (bytes is not null)
        {
            bytes.Add((byte)code);
        }
        else if (Rune.TryCreate(code, out var rune))
        {
            text.Append(rune.ToString());
        }
        else
        {
            throw new CelCompileException(start, $"Syntax error: invalid escape sequence '\\{c}'");
        }
    }

    private static bool TryParse(ReadOnlySpan<char> digits, int radix, out int code)
    {
        code = 0;
        foreach (var c in digits)
        {
            if (!char.IsAsciiHexDigit(c) || (radix == 8 && c is < '0' or > '7'))
            {
                return false;
            }
            code = unchecked(code * radix + Convert.ToInt32(c.ToString(), 16));
        }
        return true;
    }

    private object ReadNumber(int start)
    {
        if (source.AsSpan(start).StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            _at += 2;
            while (_at < source.Length && char.IsAsciiHexDigit(source[_at]))
            {
                _at++;
            }
            return Integer(start, source.AsSpan(start + 2, _at - start - 2), NumberStyles.AllowHexSpecifier);
        }
        SkipDigits();
        var isDouble = false;
        if (_at + 1 < source.Length && source[_at] == '.' && char.IsAsciiDigit(source[_at + 1]))
        {
            isDouble = true;
            _at++;
            SkipDigits();
        }
        if (_at < source.Length && source[_at] is 'e' or 'E')
        {
            isDouble = true;
            _at++;
            if (_at < source.Length && source[_at] is '+' or '-')
            {
                _at++;
            }
            SkipDigits();
        }
        if (!isDouble)
        {
            return Integer(start, source.AsSpan(start, _at - start), NumberStyles.None);
        }
        return double.TryParse(source.AsSpan(start, _at - start), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new CelCompileException(start, "Syntax error: invalid double literal");
    }

    private object Integer(int start, ReadOnlySpan<char> digits, NumberStyles style)
    {
        var isValid = ulong.TryParse(digits, style, CultureInfo.InvariantCulture, out var value);
        if (_at < source.Length && source[_at] is 'u' or 'U')
        {
            _at++;
            return isValid ? value : throw new CelCompileException(start, "Syntax error: invalid uint literal");
        }
        return isValid && value <= long.MaxValue ? (long)value
            // The smallest integer is a minus sign with this literal; the parser rejects it elsewhere.
            : isValid && value == 1UL << 63 ? new CelSmallestInteger()
            : throw new CelCompileException(start, "Syntax error: invalid int literal");
    }

    private void SkipDigits()
    {
        while (_at < source.Length && char.IsAsciiDigit(source[_at]))
        {
            _at++;
        }
    }
}

/// <summary>The literal 9223372036854775808, which is only valid after a minus sign.</summary>
internal sealed record CelSmallestInteger;
