using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json.Serialization;
using k8s;
using KubeLB.Api.Serialization;

namespace KubeLB.Api.V1Alpha1;

/// <summary>
/// The spec of a <see cref="Route"/> as JSON, exactly as it was written. A tenant writes it and its definition has no schema for the source
/// object: whatever is in it, the Route itself can be read, rejected and deleted. Immutable.
/// </summary>
[JsonConverter(typeof(RouteSpecJsonConverter))]
public sealed class RouteSpecJson
{
    /// <summary>
    /// Levels of objects and lists. An HTTPRoute needs a dozen; JSON libraries stop at 64, of which the Route itself takes some.
    /// </summary>
    public const int MaxDepth = 50;

    private readonly byte[] _utf8;

    internal RouteSpecJson(byte[] utf8) => _utf8 = utf8;

    /// <summary>
    /// The JSON: what a <see cref="RouteSpec"/> is written as, or anything else. A string in the place of an object says why the spec
    /// was not kept: it is nested more than <see cref="MaxDepth"/> levels deep.
    /// </summary>
    public ReadOnlySpan<byte> Utf8 => _utf8;

    /// <summary>The JSON of a spec.</summary>
    public static RouteSpecJson Of(RouteSpec spec) => new(Encoding.UTF8.GetBytes(KubernetesJson.Serialize(spec)));

    /// <inheritdoc cref="Of"/>
    [SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "Of is it.")]
    public static implicit operator RouteSpecJson(RouteSpec spec) => Of(spec);

    /// <summary>The spec in its type.</summary>
    /// <exception cref="System.Text.Json.JsonException">The JSON is not a <see cref="RouteSpec"/>.</exception>
    public RouteSpec Read() => KubernetesJson.Deserialize<RouteSpec>(Encoding.UTF8.GetString(_utf8));
}
