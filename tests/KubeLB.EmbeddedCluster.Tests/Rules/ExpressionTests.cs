using System.Text.Json.Nodes;
using KubeLB.EmbeddedCluster.Cel;
using KubeLB.EmbeddedCluster.CustomResources;
using KubeLB.EmbeddedCluster.Json;

namespace KubeLB.EmbeddedCluster.Tests.Rules;

/// <summary>Expressions have the values that the specification of the language and Kubernetes' libraries define.</summary>
public sealed class ExpressionTests
{
    private static readonly SchemaNode Schema = new(
        YamlReading
            .ParseAll(
                """
                type: object
                properties:
                  name: {type: string}
                  text: {type: string}
                  size: {type: integer}
                  ratio: {type: number}
                  on: {type: boolean}
                  tags: {type: array, items: {type: string}}
                  set: {type: array, x-kubernetes-list-type: set, items: {type: string}}
                  other: {type: array, x-kubernetes-list-type: set, items: {type: string}}
                  labels: {type: object, additionalProperties: {type: string}}
                  port: {x-kubernetes-int-or-string: true}
                  odd:
                    type: object
                    properties: {a-b: {type: string}, namespace: {type: string}, c.d/e: {type: string}, f__g: {type: string}}
                  secret: {type: string, nullable: true}
                  when: {type: string, format: date-time}
                  long: {type: string, format: duration}
                  raw: {type: string, format: byte}
                  list:
                    type: array
                    x-kubernetes-list-type: map
                    x-kubernetes-list-map-keys: [k]
                    items: {type: object, properties: {k: {type: string}, v: {type: integer}}}
                """
            )
            .Cast<JsonObject>()
            .Single()
    );

    private static readonly JsonNode Value = YamlReading
        .ParseAll(
            """
            name: abc
            text: aé😀
            size: 3
            ratio: 1
            on: true
            tags: [a, b, c]
            set: [x, y]
            other: [y, x]
            labels: {a: b, c.d: e}
            port: 80
            odd: {a-b: '1', namespace: '2', c.d/e: '3', f__g: '4'}
            secret: null
            when: '2024-01-02T03:04:05Z'
            long: 1m30s
            raw: aGk=
            list: [{k: a, v: 1}, {k: b, v: 2}]
            """
        )
        .Single();

    [Theory]
    // Literals.
    [InlineData("1 + 2 * 3 - 4 / 2 % 3 == 5")]
    [InlineData("-9223372036854775808 < 0 && 0x1F == 31 && 3u == uint(3) && 1.5e1 == 15.0 && .5 == 0.5")]
    [InlineData("'a\\n\\x41\\u00e9\\101' == \"a\\nAéA\" && r'\\d' == '\\\\d' && '''a'b''' == \"a'b\" && \"\"\"a\"b\"\"\" == 'a\"b'")]
    [InlineData("b'hi' == self.raw && b'\\xff'.size() == 1")]
    [InlineData("{'a': 1, 'b': 2}['b'] == 2 && {1: 'x'}.size() == 1 && !('z' in {'a': 1})")]
    [InlineData("[1, 2,] == [1, 2] && [] == []")]
    [InlineData("// a comment\n  true")]
    // Operators.
    [InlineData("self.size == 3 && self.size != 4 && self.size > 2 && self.size >= 3 && self.size < 3.5 && self.ratio <= 1.0")]
    [InlineData("!(1 == 2) && -self.size == -3 && !!self.on && --self.size == 3")]
    [InlineData("self.size > 1 ? self.name == 'abc' : false")]
    [InlineData("true || self.tags[9] == 'a'")]
    [InlineData("self.tags[9] == 'a' || true")]
    [InlineData("!(self.tags[9] == 'a' && false)")]
    [InlineData("'a' in self.tags && 'a' in self.labels && !('z' in self.tags) && self.port in [80, 443]")]
    [InlineData("'abc' < 'abd' && '\uffff' < '😀' && self.tags + ['d'] == ['a', 'b', 'c', 'd'] && 'a' + 'b' == 'ab'")]
    // Fields.
    [InlineData("has(self.name) && has(self.labels.a) && !has(self.labels.z) && self.labels['c.d'] == 'e' && self.labels.a == 'b'")]
    [InlineData("self.odd.a__dash__b + self.odd.__namespace__ + self.odd.c__dot__d__slash__e + self.odd.f__underscores__g == '1234'")]
    [InlineData("has(self.secret) && self.secret == null && self.name != null")]
    [InlineData("self.port == 80 && int(string(self.port)) == 80")]
    // Macros.
    [InlineData("self.tags.all(t, t.size() == 1) && self.tags.exists(t, t == 'b') && self.tags.exists_one(t, t == 'b')")]
    [InlineData("!self.tags.exists_one(t, t < 'c') && [].all(x, false) && ![].exists(x, true)")]
    [InlineData("self.tags.all(t, self.tags[9] == t || t == 'z' || true) && self.tags.exists(t, self.tags[9] == t || t == 'b')")]
    [InlineData("self.tags.filter(t, t != 'b') == ['a', 'c'] && self.tags.map(t, t + t) == ['aa', 'bb', 'cc']")]
    [InlineData("self.tags.map(t, t != 'b', t.upperAscii()) == ['A', 'C'] && self.labels.all(k, self.labels[k] != '')")]
    [InlineData("self.tags.all(a, self.tags.exists_one(b, a == b)) && self.list.map(i, i.v) == [1, 2]")]
    // Lists of API objects.
    [InlineData("self.set == self.other && self.set + ['x', 'z'] == ['z', 'y', 'x']")]
    // Texts.
    [InlineData("self.text.size() == 3 && size('') == 0 && self.text.substring(2) == '😀' && self.text.charAt(1) == 'é'")]
    [InlineData(
        "'abc'.contains('b') && 'abc'.startsWith('a') && 'abc'.endsWith('c') && 'abc'.indexOf('c') == 2 && 'aba'.lastIndexOf('a') == 2"
    )]
    [InlineData("'a,b,c'.split(',') == ['a', 'b', 'c'] && 'a,b,c'.split(',', 2) == ['a', 'b,c'] && ['a', 'b'].join('-') == 'a-b'")]
    [InlineData("' a '.trim() == 'a' && 'aXa'.replace('X', 'b') == 'aba' && 'aB'.lowerAscii() == 'ab' && 'abc'.substring(1, 2) == 'b'")]
    [InlineData("'abc'.matches('^[a-c]+$') && matches('abc', 'b') && !'abc\\n'.matches('^abc$') && 'ABC'.matches('^(?i)abc$')")]
    [InlineData("!'٣'.matches('\\\\d') && 'a]'.matches('^[]a]+$') && 'x1'.find('[0-9]') == '1' && 'ab_1'.matches('^[[:word:]]+$')")]
    [InlineData("isIP('10.0.0.1') && isIP('::1') && !isIP('10.0.0.01') && !isIP('10.1') && !isIP('::ffff:10.0.0.1') && !isIP('fe80::1%a')")]
    // Durations, timestamps and conversions.
    [InlineData("duration('1h1m1.5s') == duration('3661500ms') && duration('0s') == duration('0') && duration('-1s') < duration('1us')")]
    [InlineData("self.long > duration('1m') && self.long + duration('30s') == duration('2m') && string(duration('1500ms')) == '1.5s'")]
    [InlineData("self.when < timestamp('2024-01-02T04:04:05+00:00') && self.when + duration('1h') == timestamp('2024-01-02T04:04:05Z')")]
    [InlineData("int('5') == 5 && int(2.9) == 2 && double(1) == 1.0 && string(1.5) == '1.5' && string(true) == 'true' && bool('true')")]
    [InlineData("dyn(1) == 1.0 && dyn(1) != 'a' && !(dyn('1') == 1)")]
    // Optional values.
    [InlineData("self.?name.orValue('z') == 'abc' && self.labels[?'z'].orValue('d') == 'd' && !self.tags[?9].hasValue()")]
    [InlineData("self.?odd.?__namespace__.value() == '2' && self.?odd.a__dash__b.hasValue()")]
    [InlineData("self.tags[?0].optMap(t, t + '!').value() == 'a!' && optional.none().or(optional.of(1)).value() == 1")]
    public void Expression_is_true(string expression) => Evaluate(expression).Should().Be(true);

    [Theory]
    [InlineData("self.size + 9223372036854775807 > 0", "integer overflow")]
    [InlineData("self.size / 0 == 1", "division by zero")]
    [InlineData("self.size % 0 == 1", "modulus by zero")]
    [InlineData("self.tags[3] == ''", "index out of bounds: 3")]
    [InlineData("self.labels['z'] == ''", "no such key: z")]
    [InlineData("self.tags.exists_one(t, self.tags[9] == t)", "index out of bounds: 9")]
    [InlineData("self.tags[9] == 'a' || false", "index out of bounds: 9")]
    [InlineData("duration('1x') > duration('0s')", "type conversion error from 'string' to 'google.protobuf.Duration'")]
    [InlineData("self.port.startsWith('8')", "no such overload")]
    [InlineData("self.name.substring(4) == ''", "index out of range: 4")]
    [InlineData("optional.none().value() == 1", "optional.none() dereference")]
    public void Expression_that_cannot_be_evaluated_is_an_error(string expression, string message) =>
        Evaluate(expression).Should().BeOfType<CelError>().Which.Message.Should().Be(message);

    [Theory]
    [InlineData("[0,1,2,3,4,5,6,7,8,9].map(a, [0,1,2,3,4,5,6,7,8,9].map(b, LONG)).map(l, l.join()).join() != ''")]
    [InlineData("LONG.replace('x', LONG).size() > 0")]
    [InlineData("LONG + LONG + LONG == ''")]
    public void Expression_that_creates_long_texts_exceeds_the_limit(string expression)
    {
        var evaluate = () => Evaluate(expression.Replace("LONG", $"'{new string('x', 20_000)}'", StringComparison.Ordinal), limit: 5_000);

        evaluate.Should().Throw<CelCostException>();
    }

    private static object? Evaluate(string expression, long limit = RuleValidator.RuleLimit)
    {
        var type = CelType.Of(Schema, false)!;
        var program = CelCompiler.Compile(expression, [("self", type)]);
        var evaluation = new CelEvaluation(program.VariableCount, limit);
        evaluation.Variables[0] = CelValue.Of(Value, type);
        return program.Code(evaluation);
    }
}
