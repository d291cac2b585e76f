using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace KubeLB.Translation.Tests.Purity;

/// <summary>What an assembly's compiled code refers to outside of itself, read from its metadata.</summary>
/// <param name="Assemblies">Names of assemblies.</param>
/// <param name="Types">Full names of types.</param>
/// <param name="Members">Full names of types, a dot, and names of members; a property is its accessors.</param>
internal sealed record AssemblyReferences(IReadOnlySet<string> Assemblies, IReadOnlySet<string> Types, IReadOnlySet<string> Members)
{
    public static AssemblyReferences Of(Assembly assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly.Location));
        var metadata = file.GetMetadataReader();
        return new AssemblyReferences(
            metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name)).ToHashSet(),
            metadata.TypeReferences.Select(handle => NameOf(metadata, handle)).ToHashSet(),
            metadata
                .MemberReferences.Select(metadata.GetMemberReference)
                .Select(member => $"{ParentOf(metadata, member.Parent)}.{metadata.GetString(member.Name)}")
                .ToHashSet()
        );
    }

    private static string NameOf(MetadataReader metadata, TypeReferenceHandle handle)
    {
        var type = metadata.GetTypeReference(handle);
        var name = metadata.GetString(type.Name);
        return type.ResolutionScope.Kind == HandleKind.TypeReference
            ? $"{NameOf(metadata, (TypeReferenceHandle)type.ResolutionScope)}.{name}"
            : $"{metadata.GetString(type.Namespace)}.{name}".TrimStart('.');
    }

    private static string ParentOf(MetadataReader metadata, EntityHandle parent) =>
        parent.Kind switch
        {
            HandleKind.TypeReference => NameOf(metadata, (TypeReferenceHandle)parent),
            HandleKind.TypeSpecification => GenericParent(metadata, (TypeSpecificationHandle)parent),
            _ => "",
        };

    // A member of a constructed type, List<string> for example: the type behind the brackets.
    private static string GenericParent(MetadataReader metadata, TypeSpecificationHandle handle)
    {
        var signature = metadata.GetBlobReader(metadata.GetTypeSpecification(handle).Signature);
        if (signature.ReadSignatureTypeCode() != SignatureTypeCode.GenericTypeInstance)
        {
            return "";
        }

        _ = signature.ReadByte();
        var type = signature.ReadTypeHandle();
        return type.Kind == HandleKind.TypeReference ? NameOf(metadata, (TypeReferenceHandle)type) : "";
    }
}
