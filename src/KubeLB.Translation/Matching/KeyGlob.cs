using System.Text;
using KubeLB.Translation.Messages;

namespace KubeLB.Translation.Matching;

/// <summary>
/// A pattern for annotation keys: <c>*</c> matches any characters and <c>?</c> one, except <c>/</c>; <c>[a-z]</c> and <c>[^a-z]</c> match
/// one character inside or outside a range; <c>\</c> escapes the next character. Matching time is at most proportional to the product of
/// both lengths.
/// </summary>
/// <remarks>https://pkg.go.dev/path#Match, which the Go manager uses.</remarks>
internal sealed class KeyGlob
{
    private const char Separator = '/';

    private readonly List<Token> _tokens;

    private KeyGlob(string pattern, List<Token> tokens)
    {
        Pattern = pattern;
        _tokens = tokens;
    }

    /// <summary>The pattern as written.</summary>
    public string Pattern { get; }

    /// <summary>Parses a pattern.</summary>
    /// <returns>The pattern, or the error.</returns>
    public static (KeyGlob? Glob, string? Problem) Parse(string? pattern)
    {
        if (string.IsNullOrEmpty(pattern))
        {
            return (null, SettingsMessages.EmptyPattern);
        }

        var tokens = new List<Token>();
        for (var i = 0; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '*':
                    tokens.Add(Token.Star);
                    break;
                case '?':
                    tokens.Add(Token.Any);
                    break;
                case '\\' when i + 1 == pattern.Length:
                    return (null, SettingsMessages.TrailingBackslash);
                case '\\':
                    tokens.Add(Token.Of(pattern[++i]));
                    break;
                case '[':
                    if (ReadRanges(pattern, ref i) is not { } ranges)
                    {
                        return (null, SettingsMessages.InvalidRange);
                    }

                    tokens.Add(ranges);
                    break;
                default:
                    tokens.Add(Token.Of(pattern[i]));
                    break;
            }
        }

        return (new KeyGlob(pattern, tokens), null);
    }

    /// <summary>
    /// The characters before the first wildcard: every key that the pattern, valid or not, could match starts with them.
    /// </summary>
    public static string LiteralPrefix(string pattern)
    {
        var prefix = new StringBuilder();
        for (var i = 0; i < pattern.Length && pattern[i] is not ('*' or '?' or '['); i++)
        {
            if (pattern[i] == '\\' && ++i == pattern.Length)
            {
                break;
            }

            prefix.Append(pattern[i]);
        }

        return prefix.ToString();
    }

    /// <summary>Whether the pattern matches the whole key.</summary>
    public bool Matches(string key)
    {
        var (token, at) = (0, 0);
        var (star, starAt) = (-1, 0);
        while (at < key.Length)
        {
            if (token < _tokens.Count && _tokens[token].IsStar)
            {
                (star, starAt) = (token++, at);
            }
            else if (token < _tokens.Count && _tokens[token].Matches(key[at]))
            {
                token++;
                at++;
            }
            else if (star >= 0 && key[starAt] != Separator)
            {
                // The last star matches one more character. Earlier stars are not extended, as in Go.
                at = ++starAt;
                token = star + 1;
            }
            else
            {
                return false;
            }
        }

        return _tokens.Skip(token).All(t => t.IsStar);
    }

    private static Token? ReadRanges(string pattern, ref int i)
    {
        var at = i + 1;
        var isNegated = at < pattern.Length && pattern[at] == '^';
        if (isNegated)
        {
            at++;
        }

        var ranges = new List<(char Low, char High)>();
        while (true)
        {
            if (at < pattern.Length && pattern[at] == ']' && ranges.Count > 0)
            {
                i = at;
                return Token.Of(ranges, isNegated);
            }

            if (ReadCharacter(pattern, ref at) is not { } low)
            {
                return null;
            }

            var high = low;
            if (at < pattern.Length && pattern[at] == '-')
            {
                at++;
                if (ReadCharacter(pattern, ref at) is not { } end)
                {
                    return null;
                }

                high = end;
            }

            ranges.Add((low, high));
        }
    }

    private static char? ReadCharacter(string pattern, ref int at)
    {
        if (at < pattern.Length && pattern[at] == '\\')
        {
            at++;
        }
        else if (at < pattern.Length && pattern[at] is '-' or ']')
        {
            return null;
        }

        return at < pattern.Length ? pattern[at++] : null;
    }

    private sealed record Token(bool IsStar, Func<char, bool> Matches)
    {
        public static readonly Token Star = new(IsStar: true, _ => false);
        public static readonly Token Any = new(IsStar: false, c => c != Separator);

        public static Token Of(char literal) => new(IsStar: false, c => c == literal);

        public static Token Of(List<(char Low, char High)> ranges, bool isNegated) =>
            new(IsStar: false, c => ranges.Exists(r => r.Low <= c && c <= r.High) != isNegated);
    }
}
