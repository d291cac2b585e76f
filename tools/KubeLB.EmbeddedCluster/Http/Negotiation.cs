using KubeLB.EmbeddedCluster.Errors;
using Microsoft.AspNetCore.Http;

namespace KubeLB.EmbeddedCluster.Http;

/// <summary>Negotiates the form and encoding of a response. Requests for protobuf get JSON, which every client accepts.</summary>
internal static class Negotiation
{
    private const string Protobuf = "application/vnd.kubernetes.protobuf";

    /// <exception cref="ApiException">406 if no accepted media type is supported.</exception>
    public static Negotiated Negotiate(HttpRequest request, bool custom)
    {
        var accepted = Parse(request);
        if (accepted.Count == 0)
        {
            return default;
        }
        foreach (var type in accepted)
        {
            var form = FormOf(type);
            if (form is null)
            {
                continue;
            }
            switch (type.MediaType)
            {
                case "application/json" or "*/*" or "application/*":
                    return new Negotiated(form.Value, false);
                case "application/yaml":
                    return new Negotiated(form.Value, true);
                case Protobuf when !custom:
                    return new Negotiated(form.Value, false);
            }
        }
        throw custom
            ? ApiErrors.NotAcceptable("application/json", "application/yaml")
            : ApiErrors.NotAcceptable("application/json", "application/yaml", Protobuf);
    }

    /// <summary>
    /// The entries of the Accept header, in order. Quality values are ignored: Kubernetes clients list media types by preference.
    /// </summary>
    public static IReadOnlyList<AcceptedType> Parse(HttpRequest request)
    {
        var result = new List<AcceptedType>();
        foreach (var header in request.Headers.Accept)
        {
            foreach (var entry in (header ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                var parts = entry.Split(';', StringSplitOptions.TrimEntries);
                var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
                foreach (var parameter in parts.Skip(1))
                {
                    var at = parameter.IndexOf('=', StringComparison.Ordinal);
                    if (at > 0)
                    {
                        parameters[parameter[..at]] = parameter[(at + 1)..];
                    }
                }
                result.Add(new AcceptedType(parts[0], parameters));
            }
        }
        return result;
    }

    private static ObjectForm? FormOf(AcceptedType type)
    {
        if (type.Parameter("as") is not { } desired)
        {
            return ObjectForm.Whole;
        }
        if (type.Parameter("g") != "meta.k8s.io" || type.Parameter("v") is not ("v1" or "v1beta1"))
        {
            return null;
        }
        return desired switch
        {
            "Table" => ObjectForm.Table,
            "PartialObjectMetadata" or "PartialObjectMetadataList" => ObjectForm.PartialMetadata,
            _ => null,
        };
    }
}

/// <summary>One entry of an Accept header.</summary>
internal sealed record AcceptedType(string MediaType, IReadOnlyDictionary<string, string> Parameters)
{
    public string? Parameter(string name) => Parameters.GetValueOrDefault(name);
}

/// <summary>The negotiated form and encoding of a response.</summary>
internal readonly record struct Negotiated(ObjectForm Form, bool Yaml)
{
    public string ContentType => Yaml ? "application/yaml" : "application/json";
}

/// <summary>The requested form of an object.</summary>
internal enum ObjectForm
{
    Whole,
    Table,
    PartialMetadata,
}
